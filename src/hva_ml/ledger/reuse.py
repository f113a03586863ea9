"""What a night took from the ledger, and what it read anew and why: said aloud, so nobody has to guess."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

MASTER = "master data always are"
LARGE = "the sources take more than half of memory_gib, so all goes piece by piece"


@dataclass(frozen=True)
class Reuse:
    """How one contract table came about.

    Attributes
    ----------
    table : str
        The contract table.
    reused : int
        Rows of its query that an earlier night had read.
    read : int
        Rows that were read anew.
    gone : int
        Parts of the sources that were read before and are there no more, or have changed.
    why : str
        Why it was read whole; empty if it was not.
    lost : str
        Why what an earlier night had kept does not count; empty if it does.
    """

    table: str
    reused: int
    read: int
    gone: int = 0
    why: str = ""
    lost: str = ""

    def told(self) -> str:
        """Return it as a sentence without its end.

        Examples
        --------
        >>> Reuse("events", 1200, 30).told()
        'events: 1,200 rows reused, 30 read anew'
        >>> Reuse("accounts", 0, 9, why="master data always are").told()
        'accounts: 9 rows read whole: master data always are'
        """
        if self.why:
            return f"{self.table}: {self.read:,} rows read whole: {self.why}"
        gone = f", {self.gone:,} parts changed or gone" if self.gone else ""
        lost = f". {self.lost.rstrip('.')}" if self.lost else ""
        return f"{self.table}: {self.reused:,} rows reused, {self.read:,} read anew{gone}{lost}"

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return asdict(self)


def summary(tables: Sequence[Reuse]) -> Iterator[str]:
    """Yield how much was reused of all tables, then each table for which there is more to say.

    Examples
    --------
    >>> list(summary([Reuse("accounts", 0, 5, why=MASTER), Reuse("events", 90, 5)]))
    ['90 of 100 rows were known from an earlier night']
    """
    reused, read = sum(t.reused for t in tables), sum(t.read for t in tables)
    yield f"{reused:,} of {reused + read:,} rows were known from an earlier night"
    for table in tables:
        if table.gone or table.lost or table.why not in ("", MASTER):
            yield table.told()
