"""The hostile world: what was tried against the night shift, how often, and how often it won."""
