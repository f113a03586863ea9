"""Learning: encoding, the two LightGBM models, their search and the baselines they must beat."""
