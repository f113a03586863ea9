"""Features of leads: one table, one look at each row."""

from hva_ml.features.leads.build import AGE, Opened, decided, every, open_, opened

__all__ = ["AGE", "Opened", "decided", "every", "open_", "opened"]
