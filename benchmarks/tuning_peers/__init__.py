"""One search over one file of rows, each in a process of its own."""
