"""Models that are kept: bundles of plain files, runs in MLflow, gates, cards and immutable releases."""
