"""What a new workspace begins with: pipeline files, notes on its folders, and a simulated DACH vendor."""
