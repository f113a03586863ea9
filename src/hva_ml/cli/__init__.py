"""The command line `hva`: the same verbs as the Python API, in the same words.

Exit codes: 0 done, 1 failed, 2 usage, 3 refused by a gate or check, 4 another run holds the lock.
"""

from hva_ml.cli import backtest, comparing, night, nightly, operations  # noqa: F401  (they add their commands)
from hva_ml.cli.commands import app


def main() -> None:
    """Run `hva`."""
    app()


__all__ = ["app", "main"]
