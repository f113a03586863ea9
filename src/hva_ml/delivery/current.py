"""The one row with which a sink says which run it shows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from hva_ml.config import SinkTable
from hva_ml.delivery.fingerprint import Fingerprint
from hva_ml.delivery.shapes import SCHEMAS, counted


@dataclass(frozen=True)
class Current:
    """Which run a sink shows.

    Attributes
    ----------
    pipeline, run_id, as_of, model_version : str, str, datetime.date, str
        Whose scores, which run, of which day, by which version.
    manifest : str
        sha256 of the run's ``manifest.json``: the same in every sink, and in ``CURRENT``.
    currency : str
        ISO 4217 code of all amounts.
    stale, missing : bool, datetime.date or None
        Whether scores that should be there did not come out, and of which day the latest of them are.
    contents : mapping of str to Fingerprint
        Rows and hash of each table that was delivered.
    """

    pipeline: str
    run_id: str
    as_of: date
    model_version: str
    manifest: str
    currency: str
    stale: bool
    missing: date | None
    contents: Mapping[SinkTable, Fingerprint] = field(default_factory=dict)

    def same_run(self, other: "Current", tables: Collection[str]) -> bool:
        """Return whether another row shows the same run and the same tables, stale or not."""
        same = (self.pipeline, self.manifest) == (other.pipeline, other.manifest)
        return same and set(other.contents) == set(tables)

    def told_as(self, other: "Current") -> bool:
        """Return whether another row says the same of the run beside its tables."""
        return replace(self, contents={}) == replace(other, contents={})

    def row(self) -> dict[str, Any]:
        """Return it as the row of the table ``current``."""
        told: dict[str, Any] = {
            "pipeline": self.pipeline,
            "run_id": self.run_id,
            "as_of": self.as_of,
            "model_version": self.model_version,
            "manifest_sha256": self.manifest,
            "currency": self.currency,
            "stale": self.stale,
            "missing_as_of": self.missing,
        }
        for table in counted(self.contents):
            found = self.contents.get(table)
            told |= {f"{table}_rows": found and found.rows, f"{table}_hash": found and found.digest}
        return told

    @classmethod
    def of(cls, row: Any) -> "Current":
        """Return what a row says, columns found by name."""
        contents = {
            table: Fingerprint(row[f"{table}_rows"], row[f"{table}_hash"])
            for table in SCHEMAS
            if row.get(f"{table}_rows") is not None
        }
        return cls(
            row["pipeline"], row["run_id"], row["as_of"], row["model_version"], row["manifest_sha256"],
            row["currency"], bool(row["stale"]), row["missing_as_of"], contents,
        )  # fmt: skip
