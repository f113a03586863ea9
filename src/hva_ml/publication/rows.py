"""What an audit says: rows with a stable code, and the refusal that carries them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, Literal

from hva_ml.errors import RefusedError

Outcome = Literal["passed", "found", "not applicable"]
CERTAIN = 4.0
"""How many standard errors a move must have to be none of chance."""


@dataclass(frozen=True)
class AuditRow:
    """One thing that was held against its limit before a run went out.

    Attributes
    ----------
    code : str
        Stable code, e.g. ``HVS005``; docs/checks.md has a paragraph for each.
    outcome : str
        ``passed``, ``found`` (the run is refused) or ``not applicable``.
    where : str
        Table, feature or source.
    what : str
        What was measured, or why it does not apply, in one sentence.
    measured : float or None
        None where nothing could be measured.
    bound : str
        What is asked for.
    fix : str
        What to do if it is found.
    """

    code: str
    outcome: Outcome
    where: str
    what: str
    measured: float | None = None
    bound: str = ""
    fix: str = ""

    def record(self) -> dict[str, Any]:
        """Return the row as a JSON-ready record; ``AuditRow(**record)`` is its inverse."""
        return asdict(self)


class AuditError(RefusedError):
    """A run of scores is refused by its audit (exit code 3).

    Attributes
    ----------
    rows : tuple of AuditRow
        Everything that was looked at, not only what was found.
    """

    def __init__(self, rows: Sequence[AuditRow], *, where: str, why: str, fix: str) -> None:
        self.rows = tuple(rows)
        found = [r for r in rows if r.outcome == "found"]
        told = " ".join(f"{r.code}: {r.what}" for r in found)
        super().__init__(
            f"{len(found)} of {len(rows)} audits do not hold. {told}", where=where, why=why, fix=fix
        )

    def record(self) -> dict[str, object]:
        """Return the parts of the error, and all rows, as a JSON-ready record."""
        return {**super().record(), "audit": [r.record() for r in self.rows]}


def row(code: str, where: str, what: str, measured: float, bound: str, holds: bool, fix: str) -> AuditRow:
    """Return what was found of one thing, which holds or not."""
    return AuditRow(code, "passed" if holds else "found", where, what, float(measured), bound, fix)


def not_asked(code: str, where: str, why: str) -> AuditRow:
    """Return that one thing was not looked at, and why."""
    return AuditRow(code, "not applicable", where, why)


def certain(now: float, n: int, before: float, m: int) -> float:
    """Return by how much two shares, of `n` and of `m` accounts, may differ by chance.

    Examples
    --------
    >>> certain(0.0, 100, 0.5, 100)
    0.2449489742783178
    """
    pooled = (now * n + before * m) / (n + m)
    return CERTAIN * sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))


def rows_of(records: Sequence[Mapping[str, Any]]) -> tuple[AuditRow, ...]:
    """Return rows from the records of `AuditRow.record`."""
    return tuple(AuditRow(**r) for r in records)
