"""Nights in a row of one data set, and what became of them: held by which audits, firstly or again."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from scipy.stats import chi2

from hva_ml.errors import HvaError
from hva_ml.jobs.nights.summary import Nightly
from hva_ml.publication import AuditError

REFUSED = 3
SMALL = 10
YEAR = 365.25


@dataclass(frozen=True)
class Case:
    """A data set and its nights; a vendor has so many accounts of a seed, perhaps with a calendar.

    `right` says on which nights an alarm is right, and what had really changed.
    """

    name: str
    pipeline: str
    last: date
    step: int = 1
    accounts: int = 0
    seed: int = 7
    calendar: bool = False
    right: Mapping[date, str] = field(default_factory=dict)

    def days(self, size: str) -> list[date]:
        """Return the days of a year, or the last ten, and one before them."""
        many = SMALL if size == "small" else round(YEAR) // self.step
        return [self.last - timedelta(days=self.step * k) for k in range(many, -1, -1)]


@dataclass
class Diary:
    """What became of nights in a row.

    Attributes
    ----------
    case : str
        Whose nights.
    days : list of datetime.date
        All of them.
    held : dict of datetime.date to dict of str to str
        Nights that did not come out: code of each audit that held them, and what it found.
    forced : int
        How many of them were then published with a reason.
    warnings : collections.Counter
        Codes of the warnings about sources, once for each night and place.
    """

    case: Case
    days: list[date] = field(default_factory=list)
    held: dict[date, dict[str, str]] = field(default_factory=dict)
    forced: int = 0
    warnings: Counter[str] = field(default_factory=Counter)

    def published(self, night: Nightly) -> None:
        """Note a night that came out."""
        if night.as_of not in self.held:
            self.days.append(night.as_of)
        self.warnings.update(v.code for v in night.findings if v.severity == "warning")

    def refused(self, day: date, error: HvaError) -> None:
        """Note a night that did not.

        Raises
        ------
        HvaError
            The same, if it is no refusal.
        """
        if error.exit_code != REFUSED:
            raise error
        self.days.append(day)
        if isinstance(error, AuditError):
            self.held[day] = {r.code: f"{r.where}: {r.what}" for r in error.rows if r.outcome == "found"}
        else:
            code = re.match(r"HV[A-Z]\d{3}", error.what)
            self.held[day] = {code[0] if code else type(error).__name__: error.what}

    @property
    def in_a_row(self) -> int:
        """How many of the latest nights were held, one after the other."""
        return next((k for k, day in enumerate(reversed(self.days)) if day not in self.held), len(self.days))

    def first(self) -> dict[date, list[str]]:
        """Return the nights held by an audit that had not held the night before, and those audits."""
        before = {day: self.held.get(last, {}) for last, day in pairwise(self.days)}
        new = {day: sorted(set(found) - set(before.get(day, {}))) for day, found in self.held.items()}
        return {day: codes for day, codes in new.items() if codes}

    def row(self) -> dict[str, Any]:
        """Return the line of the table; a false alarm is a first one that is not right."""
        first, years = self.first(), (self.days[-1] - self.days[0]).days / YEAR
        false = len(set(first) - set(self.case.right))
        codes = Counter(code for found in self.held.values() for code in found)
        return {
            "case": self.case.name,
            "nights": len(self.days),
            "held": len(self.held),
            "held by": _counted(codes),
            "first alarms": len(first),
            "of them right": len(first) - false,
            "follow-ups": len(self.held) - len(first),
            "forced": self.forced,
            "false alarms a year": round(false / years, 1),
            "at most, 95 %": round(float(chi2.ppf(0.95, 2 * false + 2)) / 2 / years, 1),
            "warnings": _counted(self.warnings),
        }


def _counted(codes: Counter[str]) -> str:
    return ", ".join(f"{code} {n:,}" for code, n in sorted(codes.items())) or "none"
