"""Pages and pictures for people: one account, one run, one night of scores. Nothing here computes a score."""
