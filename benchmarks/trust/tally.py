"""One line of the table: what was tried, how many times, and how many times it ended badly."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tally:
    """Counts one kind of attempt.

    Attributes
    ----------
    case : str
        What is tried.
    bad : list of str
        What went wrong, one entry each.
    ends : collections.Counter
        How attempts ended, the good ones too.
    """

    case: str
    bad: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def tried(self) -> int:
        """How many attempts there were."""
        return sum(self.ends.values())

    def good(self, end: str) -> None:
        """Count an attempt that ended as promised."""
        self.ends[end] += 1

    def wrong(self, end: str, what: str) -> None:
        """Count an attempt that broke a promise."""
        self.ends[end] += 1
        self.bad.append(what)

    def row(self) -> dict[str, Any]:
        """Return the line of the table."""
        ends = ", ".join(f"{n:,} {end}" for end, n in sorted(self.ends.items(), key=lambda e: (-e[1], e[0])))
        return {"case": self.case, "tried": self.tried, "bad": len(self.bad), "ended": ends}
