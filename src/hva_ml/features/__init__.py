"""Features at cutoffs from three families: firmographic, engagement, deal history. Never a label."""
