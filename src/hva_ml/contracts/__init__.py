"""The contract: typed tables, and the checks that hold every source to it."""
