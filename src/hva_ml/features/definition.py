"""What a feature is, readable by machines: explanations, docs and reports take their words from here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pyarrow as pa

from hva_ml.config import Family as Family
from hva_ml.config import Level as Level
from hva_ml.config import Unit as Unit
from hva_ml.contracts.fingerprints import fingerprint
from hva_ml.cutoffs import LONGEST_DAYS

INDEX = ("account_id", "cutoff", "group_id")
GROUP = "group."
"""Names and topics of features of groups of companies begin so."""


@dataclass(frozen=True)
class FeatureDefinition:
    """One feature.

    Attributes
    ----------
    name : str
        Unique and stable, e.g. ``events.web_visit.count_30d``; only ``[a-z0-9_.]``.
    family : str
        ``firmographic``, ``engagement``, ``deal_history``, ``fit`` or ``season``.
    kind : str
        ``number`` (float64, null where unknown) or ``category`` (string, null where unknown).
    table : str
        Contract table it is computed from.
    measure : str
        What is computed, e.g. ``count``, ``recency``, ``attribute``.
    unit : str
        Unit of the value; ``money`` is in currency units, ``share`` lies in [0, 1].
    label_de, label_en : str
        Words a seller says aloud, without the window: "Website-Besuche", "web visits".
    window_days : int or None
        Length of the window before the cutoff; None where there is none.
    topic : str
        Features of one topic say the same thing over several windows and become one reason.
    one_de, one_en : str
        The label for exactly one: "Website-Besuch", "web visit"; empty where nobody knows it.
    to_date : str
        ``month``, ``quarter`` or ``year`` where the window is that period up to the cutoff, else empty.
    level : str
        ``account``, or ``group`` where it is measured of the account's whole group of companies.
    """

    name: str
    family: Family
    kind: Literal["number", "category"]
    table: str
    measure: str
    unit: Unit
    label_de: str
    label_en: str
    window_days: int | None = None
    topic: str = ""
    one_de: str = ""
    one_en: str = ""
    to_date: Literal["", "month", "quarter", "year"] = ""
    level: Level = "account"

    @property
    def longest_days(self) -> int:
        """Days from the beginning of the window to the cutoff, at most; 0 where there is no window."""
        return LONGEST_DAYS[self.to_date] if self.to_date else self.window_days or 0

    def record(self) -> dict[str, Any]:
        """Return the definition as a JSON-ready record; ``FeatureDefinition(**record)`` is its inverse."""
        return asdict(self)


def of_leads(definitions: Sequence[FeatureDefinition]) -> bool:
    """Say whether features are those of leads, each looked at once."""
    return any(d.table == "leads" for d in definitions)


@dataclass(frozen=True)
class FeatureSet:
    """Features of the population at each cutoff.

    Attributes
    ----------
    table : pyarrow.Table
        ``account_id`` (string), ``cutoff`` (timestamp us UTC), ``group_id`` (string: the ultimate parent),
        then one column per definition (float64 or string). Sorted by (cutoff, account_id), rows unique.
    definitions : tuple of FeatureDefinition
        In column order.
    """

    table: pa.Table
    definitions: tuple[FeatureDefinition, ...]

    @property
    def index(self) -> pa.Table:
        """The columns account_id, cutoff, group_id."""
        return self.table.select(list(INDEX))

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in column order."""
        return tuple(d.name for d in self.definitions)

    def take(self, rows: Any) -> "FeatureSet":
        """Return the rows of a boolean mask of shape (n_rows,)."""
        return FeatureSet(self.table.filter(pa.array(rows)), self.definitions)

    def fingerprint(self) -> str:
        """Return the sha256 of the table's content; equal bits give equal fingerprints."""
        return table_fingerprint(self.table)


def table_fingerprint(table: pa.Table) -> str:
    """Return the sha256 of a table's content, independent of chunking."""
    return fingerprint([table])
