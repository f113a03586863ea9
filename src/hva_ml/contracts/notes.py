"""What reading a table found, in numbers that add up: the notes of parts together are those of the whole."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hva_ml.contracts import codes, privacy
from hva_ml.contracts.records import Violation
from hva_ml.errors import MAX_IDS


@dataclass(frozen=True)
class Note:
    """One thing that was looked for in a table.

    Attributes
    ----------
    code : str
        Code of the finding that it becomes.
    where : str
        ``table.column`` or table.
    count : int
        Rows concerned.
    keys : tuple of str
        The smallest keys of such rows, at most five; raw, so they must be masked before they are shown.
    said : bool
        Whether it becomes a finding at all.
    what, fix : str
        Words that stand in place of the registry's.
    """

    code: str
    where: str
    count: int
    keys: tuple[str, ...] = ()
    said: bool = True
    what: str = ""
    fix: str = ""

    @property
    def asked(self) -> tuple[str, str, str, str]:
        """What was looked for, whatever was found."""
        return self.code, self.where, self.what, self.fix

    def violation(self) -> Violation:
        """Return it as a finding; keys that look personal are masked."""
        ids = tuple(dict.fromkeys(map(privacy.shown, self.keys)))
        return codes.violation(self.code, self.where, self.count, ids, what=self.what, fix=self.fix)

    def record(self) -> list[Any]:
        """Return what was found as a JSON-ready record."""
        return [self.count, list(self.keys), self.said]

    def found(self, record: Sequence[Any]) -> "Note":
        """Return the same question with what `record` says was found."""
        count, keys, said = record
        return replace(self, count=int(count), keys=tuple(keys), said=bool(said))


def added(parts: Sequence[Sequence[Note]]) -> tuple[Note, ...]:
    """Return the notes of a whole from those of its parts, which all asked the same in the same order.

    Examples
    --------
    >>> halves = [[Note("HVD007", "events", 2, ("b", "c"))], [Note("HVD007", "events", 1, ("a",))]]
    >>> added(halves)[0].count, added(halves)[0].keys
    (3, ('a', 'b', 'c'))
    """
    return tuple(
        replace(
            same[0],
            count=sum(n.count for n in same),
            keys=smallest(k for n in same for k in n.keys),
            said=any(n.said for n in same),
        )
        for same in zip(*parts, strict=True)
    )


def smallest(keys: Any) -> tuple[str, ...]:
    """Return the smallest different keys, at most as many as a finding names."""
    return tuple(sorted(set(keys))[:MAX_IDS])
