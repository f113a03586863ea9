"""The command line `hva`: the same verbs as the Python API, in the same words.

Exit codes: 0 done, 1 failed, 2 usage, 3 refused by a gate or check, 4 another run holds the lock, 5 alarm.
"""

from hva_ml.cli import backtest, comparing, monitoring, night, nightly, operations  # noqa: F401
from hva_ml.cli.commands import app


def main() -> None:
    """Run `hva`."""
    app()


__all__ = ["app", "main"]
