"""Other implementations of a LightGBM model's raw scores: scripts that need only their own library.

Each is called as ``python <script> model.txt rows.npy out.npy`` and prints the seconds for all rows once it
is ready, on the clock and of the processor, and the seconds from the model file until it is ready.
"""
