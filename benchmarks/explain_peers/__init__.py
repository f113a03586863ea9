"""Other implementations of SHAP values for LightGBM's trees: scripts that need only their own library.

Each is called as ``python <script> model.txt rows.npy reference.npy out.npy rows`` and prints the seconds for
so many rows, without reading files and without a first call that compiles.
"""
