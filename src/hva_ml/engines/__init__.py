"""Engines move data: they register sources, run the user's own queries and hand over Arrow tables."""
