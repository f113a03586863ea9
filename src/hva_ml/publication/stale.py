"""The note beside CURRENT that says: a later night did not come out, these scores are the last good ones."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hva_ml.folders import canonical, pretty, replace_file, text_hash
from hva_ml.publication.rows import AuditRow, rows_of

STALE = "STALE"
FORMAT = "hva-stale-1"
_UNREADABLE = "The note that says why cannot be read."


@dataclass(frozen=True)
class Stale:
    """Why the current scores are not those that should be there.

    Attributes
    ----------
    as_of : str
        The latest day whose scores did not come out, as ISO; empty where it is no matter of a day.
    what : str
        What happened.
    rows : tuple of AuditRow
        The audit of that night, if it came so far.
    """

    as_of: str
    what: str
    rows: tuple[AuditRow, ...] = ()

    @property
    def missing(self) -> date | None:
        """The day whose scores did not come out."""
        return date.fromisoformat(self.as_of) if self.as_of else None

    def record(self) -> dict[str, Any]:
        """Return it as a JSON-ready record."""
        return {"as_of": self.as_of, "what": self.what, "rows": [r.record() for r in self.rows]}


def mark(folder: Path, run_id: str, stale: Stale) -> None:
    """Note that the current run is stale, by one atomic step.

    The note names the run it speaks of: once CURRENT points elsewhere it says nothing any more, whether it
    has been removed or not.
    """
    before = told_of(folder, run_id)
    record = {
        "format": FORMAT,
        "run_id": run_id,
        **stale.record(),
        "as_of": max(stale.as_of, before.as_of if before else ""),
    }
    replace_file(folder / STALE, pretty({**record, "seal": text_hash(canonical(record))}))


def told_of(folder: Path, run_id: str) -> Stale | None:
    """Return what the note says of a run, None if there is none or it speaks of another one."""
    try:
        record = json.loads((folder / STALE).read_bytes())
        body = {k: v for k, v in record.items() if k != "seal"}
        if record["seal"] != text_hash(canonical(body)) or body["format"] != FORMAT:
            return Stale("", _UNREADABLE)
        if body["run_id"] != run_id:
            return None
        return Stale(body["as_of"], body["what"], rows_of(body["rows"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Stale("", _UNREADABLE)


def clear(folder: Path, as_of: str) -> None:
    """Remove the note, unless it speaks of a day after `as_of`, which is still missing."""
    try:
        missing = str(json.loads((folder / STALE).read_bytes())["as_of"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError):
        missing = ""
    if missing <= as_of:
        with suppress(FileNotFoundError):
            (folder / STALE).unlink()
