"""What rows depend on besides the content of the sources: if it changes, they are read anew."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from hva_ml.config import PipelineConfig
from hva_ml.folders import canonical, text_hash

_ROOMS = ("contracts", "engines", "ledger")
_LIBRARIES = ("hva-ml", "duckdb", "pyarrow", "pandas", "numpy")


def identity(config: PipelineConfig, table: str, queries: Mapping[str, str]) -> str:
    """Return the sha256 of what decides how the parts of a table are read.

    Parameters
    ----------
    config : PipelineConfig
        Its time zone, and what it says of the table.
    table : str
        The contract table.
    queries : mapping of str to str
        The text of every query that makes it.
    """
    return text_hash(
        canonical(
            {
                "queries": dict(queries),
                "table": [table, asdict(config.tables[table])],  # type: ignore[index]
                "timezone": config.pipeline.timezone,
                "libraries": {name: version(name) for name in _LIBRARIES},
                "code": _code(),
            }
        )
    )


def _code() -> str:
    """Return the sha256 of the code that reads rows: an installed version may have been changed by hand."""
    home = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for file in sorted([home / "coding.py", *(f for room in _ROOMS for f in (home / room).glob("*.py"))]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
