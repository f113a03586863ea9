"""Nights on which nothing was wrong, and how many of them the audits hold all the same: false alarms.

`python -m benchmarks.honest [--size small|full] [--case NAME] [--folder FOLDER] [--told] [--json FILE]`:
small is ten nights of each data set; full a year: simulated vendors every night from their exports, real data
sets (HVA_DATASETS) every week, online_retail every night, too. All nights run in one process. A held night
stops nothing: the next one is held against the last that was published, as in production, and is a follow-up
as far as it is held by the same audits. `--told` prints what was found.
"""

import argparse
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from scipy.stats import chi2

import hva_ml as hva
from benchmarks.incremental import PIPELINE, export, workspace
from benchmarks.results import tell, with_others
from benchmarks.smaller import TRAINING, edit
from hva_ml.errors import HvaError
from hva_ml.jobs.nights.summary import Nightly
from hva_ml.publication import AuditError
from hva_ml.starter.stream import stream

REFUSED = 3
SMALL = 10
YEAR = 365.25
Before = Callable[[date, date | None], None]
# Learned from what was known before the year begins.
LEARNED = (
    ("\nlast = 2025-09-01", "\nlast = 2024-09-01"),
    ("\ndata_end = 2025-12-31", "\ndata_end = 2024-12-31"),
)


@dataclass(frozen=True)
class Case:
    """A data set and its nights; a vendor has so many accounts of a seed."""

    name: str
    pipeline: str
    last: date
    step: int = 1
    accounts: int = 0
    seed: int = 7

    def days(self, size: str) -> list[date]:
        """Return the days of a year, or the last ten, and one before them."""
        many = SMALL if size == "small" else round(YEAR) // self.step
        return [self.last - timedelta(days=self.step * k) for k in range(many, -1, -1)]


VENDOR_ENDS = date(2025, 12, 31)
CASES = (
    *(
        Case(f"simulated vendor, {n:,} accounts, seed {seed}, every night", PIPELINE, VENDOR_ENDS, 1, n, seed)
        for n, seed in ((100, 17), (500, 27), (3000, 37))
    ),
    Case("online_retail, every night", "online_retail", date(2011, 12, 9)),
    Case("online_retail, every week", "online_retail", date(2011, 12, 9), step=7),
    Case("adventureworks, every week", "adventureworks", date(2013, 11, 30), step=7),
)


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
    warnings : collections.Counter
        Codes of the warnings about sources, once for each night and place.
    """

    case: str
    days: list[date] = field(default_factory=list)
    held: dict[date, dict[str, str]] = field(default_factory=dict)
    warnings: Counter[str] = field(default_factory=Counter)

    def published(self, night: Nightly) -> None:
        """Note a night that came out."""
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

    def first(self) -> dict[date, list[str]]:
        """Return the nights held by an audit that had not held the night before, and those audits."""
        before = {day: self.held.get(last, {}) for last, day in zip(self.days, self.days[1:], strict=False)}
        new = {day: sorted(set(found) - set(before.get(day, {}))) for day, found in self.held.items()}
        return {day: codes for day, codes in new.items() if codes}

    def row(self) -> dict[str, Any]:
        """Return the line of the table; a false alarm is a first one."""
        first, years = self.first(), (self.days[-1] - self.days[0]).days / YEAR
        codes = Counter(code for found in self.held.values() for code in found)
        return {
            "case": self.case,
            "nights": len(self.days),
            "held": len(self.held),
            "held by": _counted(codes),
            "first alarms": len(first),
            "follow-ups": len(self.held) - len(first),
            "false alarms a year": round(len(first) / years, 1),
            "at most, 95 %": round(float(chi2.ppf(0.95, 2 * len(first) + 2)) / 2 / years, 1),
            "warnings": _counted(self.warnings),
        }


def _counted(codes: Counter[str]) -> str:
    return ", ".join(f"{code} {n:,}" for code, n in sorted(codes.items())) or "none"


def nights(ws: hva.Workspace, case: str, pipeline: str, days: Iterable[date], before: Before) -> Diary:
    """Make one night after the other, each after what `before` does (it gets the day, and the one before)."""
    diary, last = Diary(case), None
    for day in days:
        before(day, last)
        try:
            diary.published(hva.nightly(ws, pipeline, as_of=day))
        except HvaError as error:
            diary.refused(day, error)
        last = day
    return diary


def release(folder: Path, size: str) -> Path:
    """Train the simulated vendor on what was known before the year; returns the folder of the release."""
    ws, _ = hva.init(folder)
    edit(ws, *LEARNED, *(TRAINING if size == "small" else ()))
    return hva.promote(hva.train(ws, PIPELINE), force="a benchmark").path


def vendor(case: Case, folder: Path, learned: Path) -> tuple[hva.Workspace, Before]:
    """Make a vendor of other accounts than those that the release has learned from; returns its exports."""
    made = folder / "made"
    stream(
        made, accounts=case.accounts, seed=case.seed, first=date(2022, 1, 1), last=case.last,
        events_per_account=40,
    )  # fmt: skip
    ws = workspace(folder / "ws")
    edit(ws, *LEARNED)
    hva.promote_from(ws, PIPELINE, learned, force="a benchmark")
    return ws, partial(export, made, ws)


def real(case: Case, size: str, ws: hva.Workspace) -> Diary:
    """Make the nights of a shipped pipeline, whose queries are cut at each day."""
    shutil.rmtree(ws.scores(case.pipeline), ignore_errors=True)
    return nights(ws, case.name, case.pipeline, case.days(size), _nothing)


def _nothing(day: date, last: date | None) -> None:
    """Export nothing: all is there."""


def measured(cases: Sequence[Case], size: str, folder: Path) -> Iterator[Diary]:
    """Yield what became of the nights of each data set; real ones only where they are."""
    trained: dict[str, Any] = {}
    for k, case in enumerate(cases):
        if case.accounts:
            if PIPELINE not in trained:
                trained[PIPELINE] = release(folder / "release", size)
            ws, exported = vendor(case, folder / f"vendor{k}", trained[PIPELINE])
            yield nights(ws, case.name, PIPELINE, case.days(size), exported)
            shutil.rmtree(folder / f"vendor{k}")
        elif os.environ.get("HVA_DATASETS"):
            if case.pipeline not in trained:
                ws, _ = hva.init(folder / case.pipeline)
                hva.promote(hva.train(ws, case.pipeline), force="a benchmark")
                trained[case.pipeline] = ws
            yield real(case, size, trained[case.pipeline])


def main() -> None:
    """Measure, print, and write the same as JSON."""
    parser = argparse.ArgumentParser(description="False alarms of the audits.")
    parser.add_argument("--size", choices=["small", "full"], default="small")
    parser.add_argument("--case", help="Only cases whose names begin so; rows of others stay in the JSON.")
    parser.add_argument("--folder", type=Path, help="Where the made-up files go; else a temporary folder.")
    parser.add_argument("--told", action="store_true", help="Print what was found on each held night.")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    cases, rows = [c for c in CASES if c.name.startswith(asked.case or "")], []
    with tempfile.TemporaryDirectory(prefix="hva-honest-", dir=asked.folder) as made:
        for diary in measured(cases, asked.size, Path(made)):
            rows.append(diary.row())
            for day, found in diary.held.items() if asked.told else ():
                print(f"{diary.case}, {day}: " + "; ".join(f"{c} {what}" for c, what in found.items()))
            tell("honest", with_others(rows, asked.json, asked.size), asked.json, size=asked.size)


if __name__ == "__main__":
    main()
