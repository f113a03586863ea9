"""The hand-over after the contract: clean tables, and everything that was set aside, counted."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pyarrow as pa

from hva_ml.contracts.stored import Stored, before
from hva_ml.engines.spool import Spooled

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
        Clean rows under the stored column names (``amount_cents`` …), times in UTC microseconds. What does
        not fit into memory is on disk, and read by each look-up; `pieces` reads it bit by bit.
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

    @property
    def nbytes(self) -> int:
        """How large the clean tables are in memory."""
        if isinstance(self.tables, Stored):
            return sum(rows.nbytes for rows in self.tables.spooled.values())
        return sum(table.nbytes for table in self.tables.values())

    def upto(self, cutoff: datetime) -> "ContractTables":
        """Return only rows whose event time and known time both lie before `cutoff`."""
        if isinstance(self.tables, Stored):
            return ContractTables(self.tables.upto(cutoff), self.violations, {}, {})
        return ContractTables({n: before(t, cutoff) for n, t in self.tables.items()}, self.violations, {}, {})

    def only(self, names: Collection[str]) -> "ContractTables":
        """Return some of the tables, with what was found in all of them; nothing is read."""
        if isinstance(self.tables, Stored):
            return ContractTables(self.tables.only(names), self.violations, {}, {})
        return ContractTables({n: t for n, t in self.tables.items() if n in names}, self.violations, {}, {})

    def pieces(self, name: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield the rows of a table, or some of its columns, piece by piece: at least one.

        So a table may be larger than memory; ``tables[name]`` reads it whole.
        """
        if isinstance(self.tables, Stored):
            yield from self.tables.pieces(name, columns)
        else:
            table = self.tables[name]
            yield table if columns is None else table.select([c for c in table.column_names if c in columns])

    def aside(self, name: str) -> Iterator[pa.Table]:
        """Yield the rows of a table that were set aside, piece by piece: at least one."""
        found = self.quarantine
        yield from found.pieces(name) if isinstance(found, Stored) else (found[name],)

    def columns(self, name: str, columns: Sequence[str]) -> pa.Table:
        """Return some columns of a table, whole."""
        return pa.concat_tables(self.pieces(name, columns))

    def relation(self, name: str) -> pa.Table | Spooled:
        """Return a table as an engine registers it, in memory or on disk."""
        return self.tables.spooled[name] if isinstance(self.tables, Stored) else self.tables[name]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return clean and quarantined rows by contract table."""
        clean, aside = (_num_rows(tables) for tables in (self.tables, self.quarantine))
        return {name: (clean.get(name, 0), aside.get(name, 0)) for name in sorted({*clean, *aside})}


def _num_rows(tables: Mapping[str, pa.Table]) -> dict[str, int]:
    rows = tables.spooled if isinstance(tables, Stored) else tables
    return {name: found.num_rows for name, found in rows.items()}
