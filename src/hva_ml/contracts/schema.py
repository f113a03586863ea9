"""What a contract table is: its columns, its key and its two clocks. It reads no data.

`event_time` is when a thing happened, `known_at` when we could have known it. A feature at a cutoff may
only see rows for which both lie before the cutoff.
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Kind = Literal["id", "category", "text", "integer", "number", "money", "time", "flag"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "id": pa.string(),
    "category": pa.string(),
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.int64(),
    "time": pa.timestamp("us", "UTC"),
    "flag": pa.bool_(),
}


@dataclass(frozen=True)
class Column:
    """One column of a contract table.

    Attributes
    ----------
    name : str
        Name in the source query; a ``money`` column ``amount`` is stored as ``amount_cents``.
    kind : str
        One of ``id``, ``category``, ``text``, ``integer``, ``number``, ``money``, ``time``, ``flag``.
    required : bool
        Whether the source query must give the column; a missing optional column is filled with nulls.
    nullable : bool
        Whether single cells may be empty.
    meaning : str
        One sentence for the data dictionary.
    unit : str
        Unit of a number, empty where none applies.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    nullable: bool = True
    unit: str = ""

    @property
    def stored(self) -> str:
        """Name after the contract: money is held as integer minor units.

        Examples
        --------
        >>> Column("amount", "money", "Net amount").stored
        'amount_cents'
        """
        return f"{self.name}_cents" if self.kind == "money" else self.name

    @property
    def arrow_type(self) -> pa.DataType:
        """Arrow type of the stored column."""
        return ARROW_TYPES[self.kind]


@dataclass(frozen=True)
class TableContract:
    """One contract table: its name, key and columns, in stored order."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Return the column called `name` (source name); raises ``KeyError`` if there is none."""
        return next(c for c in self.columns if c.name == name) if name in self.names else _missing(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Source names of all columns."""
        return tuple(c.name for c in self.columns)

    @property
    def arrow_schema(self) -> pa.Schema:
        """Schema of the stored table."""
        return pa.schema([(c.stored, c.arrow_type) for c in self.columns])

    def extended(self, extra: tuple[Column, ...]) -> "TableContract":
        """Return this contract with the user's own declared columns after the standard ones."""
        return TableContract(self.name, self.meaning, self.key, self.columns + extra)


def _missing(name: str) -> Column:
    raise KeyError(name)
