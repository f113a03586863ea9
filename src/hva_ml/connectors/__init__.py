"""The door to other systems: files, public data sets and the simulator become Arrow tables by source name."""
