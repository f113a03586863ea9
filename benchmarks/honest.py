"""Nights on which nothing was wrong, and how many of them the audits hold all the same: false alarms.

`python -m benchmarks.honest [--size small|full] [--case NAME] [--folder FOLDER] [--told] [--json FILE]`:
small is ten nights of each data set; full a year: simulated vendors every night from their exports, real data
sets (HVA_DATASETS) every week, online_retail every night, too. All nights run in one process. A held night
stops nothing: the next one is held against the last that was published, as in production, and is a follow-up
as far as it is held by the same audits. After three nights held in a row somebody has looked, and publishes
the third with a reason. `--told` prints what was found.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import hva_ml as hva
from benchmarks import rhythm
from benchmarks.diary import Case, Diary
from benchmarks.incremental import PIPELINE, export, workspace
from benchmarks.results import tell, with_others
from benchmarks.smaller import TRAINING, edit
from hva_ml.errors import HvaError
from hva_ml.publication import AuditError
from hva_ml.starter.stream import stream

PATIENCE = 3
"""So many nights in a row are held, then somebody has looked and gives a reason to publish."""
Before = Callable[[date, date | None], None]
# Learned from what was known before the year begins.
LEARNED = (
    ("\nlast = 2025-09-01", "\nlast = 2024-09-01"),
    ("\ndata_end = 2025-12-31", "\ndata_end = 2024-12-31"),
)


VENDOR_ENDS = date(2025, 12, 31)
CASES = (
    *(
        Case(f"simulated vendor, {n:,} accounts, seed {seed}, every night", PIPELINE, VENDOR_ENDS, 1, n, seed)
        for n, seed in ((100, 17), (500, 27))
    ),
    Case("simulated vendor with a calendar, 500 accounts, every night", PIPELINE, VENDOR_ENDS,
         accounts=500, seed=47, calendar=True),
    Case("online_retail, every night", "online_retail", date(2011, 9, 1)),
    Case("online_retail, every week", "online_retail", date(2011, 9, 1), step=7),
    Case("adventureworks, every week", "adventureworks", date(2013, 11, 30), step=7, right={
        date(2013, 2, 2): "72 resellers ordered for the first time on 28 January",
        date(2013, 3, 2): "88 more on 28 February",
    }),
)  # fmt: skip


def nights(ws: hva.Workspace, case: Case, days: Iterable[date], before: Before) -> Diary:
    """Make one night after the other, each after what `before` does (it gets the day, and the one before)."""
    diary, last = Diary(case), None
    for day in days:
        before(day, last)
        try:
            diary.published(hva.nightly(ws, case.pipeline, as_of=day))
        except HvaError as error:
            diary.refused(day, error)
            if isinstance(error, AuditError) and diary.in_a_row % PATIENCE == 0:
                diary.published(hva.nightly(ws, case.pipeline, as_of=day, force="looked at"))
                diary.forced += 1
        last = day
    return diary


def release(folder: Path, size: str) -> Path:
    """Train the simulated vendor on what was known before the year; returns the folder of the release."""
    ws, _ = hva.init(folder)
    edit(ws, *LEARNED, *(TRAINING if size == "small" else ()))
    return hva.promote(hva.train(ws, PIPELINE), force="a benchmark").path


def vendor(case: Case, folder: Path, learned: Path) -> tuple[hva.Workspace, Before]:
    """Make a vendor of other accounts than those that a release has learned from; returns its exports, too.

    One with a calendar has a pipeline of its own, and learns from itself.
    """
    made = folder / "made"
    stream(
        made, accounts=case.accounts, seed=case.seed, first=date(2022, 1, 1), last=case.last,
        events_per_account=40,
    )  # fmt: skip
    ws = workspace(folder / "ws")
    edit(ws, *LEARNED)
    if case.calendar:
        rhythm.give(made)
        edit(ws, *TRAINING, *rhythm.WINDOWS)
        export(made, ws, case.days("full")[0], None)
        hva.promote(hva.train(ws, PIPELINE), force="a benchmark")
        shutil.rmtree(ws.raw(PIPELINE))
    else:
        hva.promote_from(ws, PIPELINE, learned, force="a benchmark")
    return ws, partial(export, made, ws)


def real(case: Case, size: str, ws: hva.Workspace) -> Diary:
    """Make the nights of a shipped pipeline, whose queries are cut at each day."""
    shutil.rmtree(ws.scores(case.pipeline), ignore_errors=True)
    return nights(ws, case, case.days(size), _nothing)


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
            yield nights(ws, case, case.days(size), exported)
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
                print(f"{diary.case.name}, {day}: " + "; ".join(f"{c} {what}" for c, what in found.items()))
            tell("honest", with_others(rows, asked.json, asked.size), asked.json, size=asked.size)


if __name__ == "__main__":
    main()
