"""How good the scores are on cutoffs no model has seen, and how sure we are of that. It fits nothing."""
