"""Other people's models on the rows that ours had: each script reads a folder a day and answers."""
