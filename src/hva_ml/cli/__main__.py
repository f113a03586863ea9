"""Lets `python -m hva_ml.cli` be the same as `hva`."""

from hva_ml.cli import main

if __name__ == "__main__":
    main()
