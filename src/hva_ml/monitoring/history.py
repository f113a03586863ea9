"""What is kept of all nights, beside the runs: small sealed files that outlive the runs they speak of."""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from hva_ml.folders import canonical, replace_file, text_hash
from hva_ml.monitoring.digest import Digest
from hva_ml.monitoring.outcomes import Outcome
from hva_ml.monitoring.reference import Reference
from hva_ml.monitoring.under_way import UnderWay

FORMAT = "hva-history-1"
NIGHTS, OUTCOMES, UNDER_WAY, REFERENCES = "nights", "outcomes", "under_way", "references"
_SUFFIX = ".json.gz"
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class History:
    """The folder of a pipeline's kept nights.

    Attributes
    ----------
    folder : Path
        ``data/scores/<pipeline>/history``.
    """

    folder: Path

    def keep(self, digest: Digest) -> None:
        """Keep a night."""
        self._write(NIGHTS, _name(digest.as_of, digest.run_id), digest.record())

    def keep_outcome(self, outcome: Outcome) -> None:
        """Keep what became of a night."""
        self._write(OUTCOMES, _name(outcome.as_of, outcome.run_id), outcome.record())

    def keep_under_way(self, part: UnderWay) -> None:
        """Keep how far the promises of a night have come."""
        self._write(UNDER_WAY, _name(part.as_of, part.run_id), part.record())

    def keep_reference(self, release: str, record: Mapping[str, Any]) -> None:
        """Keep what the nights of a release are compared with: the release itself may go."""
        if not self._path(REFERENCES, release).exists():
            self._write(REFERENCES, release, dict(record))

    def nights(self, until: date) -> tuple[Digest, ...]:
        """Return every night up to a day, oldest first; of several runs of one day the one written last."""
        latest: dict[str, Digest] = {}
        for digest in self._all(NIGHTS, Digest.from_record, until):
            before = latest.get(digest.as_of)
            if before is None or before.sequence < digest.sequence:
                latest[digest.as_of] = digest
        return tuple(latest[day] for day in sorted(latest))

    def outcomes(self, until: date) -> tuple[Outcome, ...]:
        """Return what became of nights up to a day."""
        return self._all(OUTCOMES, Outcome.from_record, until)

    def under_way(self, until: date) -> tuple[UnderWay, ...]:
        """Return the followed nights up to a day."""
        return self._all(UNDER_WAY, UnderWay.from_record, until)

    def reference(self, release: str) -> Reference | None:
        """Return what a release is compared with, None if nobody kept it."""
        record = self._read(self._path(REFERENCES, release))
        return None if record is None else Reference.from_record(record)

    def damaged(self) -> tuple[Path, ...]:
        """Return the files that are not as they were written."""
        found = sorted(self.folder.glob(f"*/*{_SUFFIX}"))
        return tuple(path for path in found if self._read(path) is None)

    def _all(self, kind: str, make: Callable[[Any], Kept], until: date) -> tuple[Kept, ...]:
        paths = sorted((self.folder / kind).glob(f"[0-9]*{_SUFFIX}"))
        records = (self._read(p) for p in paths if p.name[:10] <= until.isoformat())
        return tuple(make(r) for r in records if r is not None)

    def _path(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{name}{_SUFFIX}"

    def _write(self, kind: str, name: str, record: dict[str, Any]) -> None:
        path = self._path(kind, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        body = canonical({"format": FORMAT, "kind": kind, "record": record})
        # Without a time in it, the same content is the same file.
        replace_file(path, gzip.compress(f"{body}\n{text_hash(body)}".encode(), compresslevel=6, mtime=0))

    def _read(self, path: Path) -> Any:
        """Return a record, None where there is none or it is not as it was written."""
        try:
            body, seal = gzip.decompress(path.read_bytes()).decode().rsplit("\n", 1)
            if seal != text_hash(body):
                return None
            found = json.loads(body)
            return found["record"] if (found["format"], found["kind"]) == (FORMAT, path.parent.name) else None
        except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error):
            return None


def _name(as_of: str, run_id: str) -> str:
    return f"{as_of}.{run_id}"
