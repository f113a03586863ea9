"""What every benchmark does at its end: one table on the terminal, the same rows as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def machine() -> str:
    """Say where the figures come from."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def tell(name: str, rows: Sequence[dict[str, Any]], to: Path | None = None, **facts: Any) -> None:
    """Print the rows as one table, columns in the order in which they first occur; write them to `to`.

    Parameters
    ----------
    name : str
        Name of the benchmark.
    rows : sequence of dict
        ``case`` first; by custom ``ours``, ``peer``, ``ratio`` (peer / ours) and ``equal``.
    to : Path, optional
        JSON file: name, day, machine, rows, and the facts.
    """
    columns = list(dict.fromkeys(c for row in rows for c in row))
    cells = [columns, *([_cell(row.get(c)) for c in columns] for row in rows)]
    width = [max(len(line[k]) for line in cells) for k in range(len(columns))]
    print(f"{name} on {machine()}")
    for line in cells:
        print(
            "  ".join(
                c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(line, width, strict=True))
            )
        )
    if to:
        record = {
            "name": name,
            "day": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": machine(),
            **facts,
            "rows": list(rows),
        }
        to.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def with_others(rows: Sequence[dict[str, Any]], file: Path | None, size: str) -> list[dict[str, Any]]:
    """Return the rows of a file of this size, then the new ones; same table, case and model: replaced.

    So a benchmark of many parts can be measured part by part; kept rows say of which day they are.
    """
    if file is None or not file.is_file():
        return list(rows)
    record = json.loads(file.read_bytes())
    if record["size"] != size:
        return list(rows)
    new = {_key(row): row for row in rows}
    kept = [new.pop(_key(row), {**row, "day": row.get("day", record["day"])}) for row in record["rows"]]
    return [*kept, *new.values()]


def _key(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    return row.get("table"), row["case"], row.get("model")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 1000 else str(value)
