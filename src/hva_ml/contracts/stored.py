"""Tables that may be larger than memory: each is read whole only when it is asked for by its name."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.engines.spool import Spooled

CLOCKS = ("event_time", "known_at")


def before(table: pa.Table, moment: datetime) -> pa.Table:
    """Return only rows whose event time and known time both lie before an instant."""
    limit = pa.scalar(moment, pa.timestamp("us", "UTC"))
    return table.filter(pc.and_(*(pc.less(table[clock], limit) for clock in CLOCKS)))


@dataclass(frozen=True, eq=False)
class Stored(Mapping[str, pa.Table]):
    """A mapping of name to table that holds none of those that are on disk.

    Attributes
    ----------
    spooled : mapping of str to Spooled
        Where the rows are.
    until : datetime.datetime or None
        Aware instant; only rows known before it are there.
    """

    spooled: Mapping[str, Spooled]
    until: datetime | None = None

    @staticmethod
    def of(spooled: Mapping[str, Spooled]) -> Mapping[str, pa.Table]:
        """Return tables by name: as they are if all of them are in memory."""
        if all(isinstance(rows.source, pa.Table) for rows in spooled.values()):
            return {name: rows.table() for name, rows in spooled.items()}
        return Stored(spooled)

    def __getitem__(self, name: str) -> pa.Table:
        """Read a whole table."""
        return pa.concat_tables(self.pieces(name))

    def __contains__(self, name: object) -> bool:
        """Say whether there is such a table; the mapping's own way would read it."""
        return name in self.spooled

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.spooled)

    def __len__(self) -> int:
        """Return how many tables there are."""
        return len(self.spooled)

    def pieces(self, name: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield a table piece by piece, or only some of its columns."""
        if self.until is None:
            yield from self.spooled[name].pieces(columns)
            return
        for piece in self.spooled[name].pieces(None if columns is None else (*columns, *CLOCKS)):
            rows = before(piece, self.until)
            yield rows if columns is None else rows.select([c for c in rows.column_names if c in columns])

    def only(self, names: Collection[str]) -> "Stored":
        """Return some of the tables."""
        return Stored({n: rows for n, rows in self.spooled.items() if n in names}, self.until)

    def upto(self, moment: datetime) -> "Stored":
        """Return the same tables without what was not known before an instant."""
        return Stored(self.spooled, moment if self.until is None else min(moment, self.until))
