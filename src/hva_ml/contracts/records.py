"""The hand-over after the contract: clean tables, and everything that was set aside, counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Violation:
    """One finding about the data: a row of the check report.

    Attributes
    ----------
    code : str
        Stable code, e.g. ``HVD007``.
    where : str
        ``table.column`` or table.
    count : int
        Number of rows concerned.
    ids : tuple of str
        At most five keys of such rows.
    severity : str
        ``error`` stops training and scoring, ``warning`` does not, ``info`` is a count to know.
    what : str
        What was found, in one sentence.
    fix : str
        What to do about it.
    """

    code: str
    where: str
    count: int
    severity: Severity
    what: str
    fix: str
    ids: tuple[str, ...] = ()

    def record(self) -> dict[str, object]:
        """Return the finding as a JSON-ready record."""
        return {
            "code": self.code,
            "where": self.where,
            "count": self.count,
            "severity": self.severity,
            "what": self.what,
            "fix": self.fix,
            "ids": list(self.ids),
        }


@dataclass(frozen=True)
class ContractTables:
    """Tables that keep their contract, sorted by key, with what was found on the way.

    Attributes
    ----------
    tables : mapping of str to pyarrow.Table
        Clean rows under the stored column names (``amount_cents`` …), times in UTC microseconds.
    violations : tuple of Violation
        Everything found.
    quarantine : mapping of str to pyarrow.Table
        Rows set aside, with a last column ``violation_code``.
    fingerprints : mapping of str to str
        sha256 of each clean table's content, independent of the row order of the source.
    """

    tables: Mapping[str, pa.Table]
    violations: tuple[Violation, ...] = ()
    quarantine: Mapping[str, pa.Table] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Violation, ...]:
        """Violations that stop the work."""
        return tuple(v for v in self.violations if v.severity == "error")

    def upto(self, cutoff: datetime) -> "ContractTables":
        """Return only rows whose event time and known time both lie before `cutoff`."""
        limit = pa.scalar(cutoff, pa.timestamp("us", "UTC"))

        def visible(table: pa.Table) -> pa.Table:
            return table.filter(
                pc.and_(pc.less(table["event_time"], limit), pc.less(table["known_at"], limit))
            )

        return ContractTables({n: visible(t) for n, t in self.tables.items()}, self.violations, {}, {})
