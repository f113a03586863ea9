"""The real job killed anywhere, two at once: readers see one whole night, and the next run finishes it."""

import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import hva_ml as hva
from benchmarks.smaller import PIPELINE
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import (
    BUSY,
    LAST,
    TONIGHT,
    again,
    ended,
    run_files,
    seconds_of,
    start,
    whole,
)
from hva_ml.errors import HvaError

NIGHT = ("nightly", PIPELINE, "--as-of", TONIGHT, "--json")
SCORE = ("score", PIPELINE, "--as-of", TONIGHT, "--json")
_PUBLISHING_SECONDS = 0.25


@dataclass
class Trial:
    """A workspace of the night before, and what tonight comes out as where nobody disturbs it.

    Attributes
    ----------
    base : Workspace
        Is only copied.
    place : pathlib.Path
        Where copies are made.
    """

    base: hva.Workspace
    place: Path
    seconds: float = 0.0
    reference: list[dict[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for _ in range(2):
            # The second one finds the caches filled, as all after it do.
            ws = self.fresh()
            self.seconds, code = seconds_of(ws.root, self.out, *NIGHT)
            assert code == 0, self.out.read_text(encoding="utf-8")
        self.reference = run_files(ws, TONIGHT)
        assert len(self.reference) == 1

    @property
    def out(self) -> Path:
        """Where commands write to."""
        return self.place / "out"

    def fresh(self) -> hva.Workspace:
        """Copy the workspace."""
        return again(self.base, self.place / "ws")


def kills(trial: Trial, times: int, seed: int = 1) -> Tally:
    """Kill the night at a random moment, half of the times while it publishes; then let it run again."""
    tally, chance = Tally("kill -9 of hva nightly, then a new run"), random.Random(seed)
    for number in range(times):
        ws = trial.fresh()
        process = start(ws.root, trial.out, *NIGHT)
        begin = time.monotonic()
        if number % 2:
            _until_it_publishes(ws, 20 * trial.seconds + 60)
            begin, wait = time.monotonic(), chance.random() * _PUBLISHING_SECONDS
        else:
            wait = chance.random() * trial.seconds
        time.sleep(max(0.0, begin + wait - time.monotonic()))
        process.kill()
        _judged(tally, trial, ws, alive=ended(process) == 0)
    return tally


def _until_it_publishes(ws: hva.Workspace, most: float) -> None:
    runs, end = ws.scores(PIPELINE) / "runs", time.monotonic() + most
    while time.monotonic() < end and not list(runs.glob(".*.part")):
        time.sleep(0.001)


def _judged(tally: Tally, trial: Trial, ws: hva.Workspace, *, alive: bool) -> None:
    end = "ended before the kill" if alive else "killed"
    try:
        seen = whole(ws)
        if seen not in (LAST, TONIGHT) or (alive and seen != TONIGHT):
            tally.wrong("neither", f"readers see {seen}")
            return
        _, code = seconds_of(ws.root, trial.out, *NIGHT)
        left = sorted(p.name for p in (ws.scores(PIPELINE) / "runs").glob(".*"))
        if code or whole(ws) != TONIGHT or run_files(ws, TONIGHT) != trial.reference or left:
            told = trial.out.read_text(encoding="utf-8")[-300:]
            tally.wrong("not finished", f"exit {code}, readers see {whole(ws)}, {left} left: {told}")
            return
        record = json.loads((ws.scores(PIPELINE) / "nights" / f"{TONIGHT}.json").read_bytes())
        when = "before the new night" if seen == LAST else "after it"
        taken = ", its lock taken over" if record["died_before"] else ""
        tally.good(f"{end} {when}{taken}" if not alive else end)
    except (HvaError, AssertionError) as error:
        tally.wrong("torn", f"{type(error).__name__}: {error}"[:300])


def pairs(trial: Trial, times: int, seed: int = 2) -> Tally:
    """Let two jobs of one night begin at about the same time; every other time one is `hva score`."""
    tally, chance = Tally("two runs of one night at once"), random.Random(seed)
    for number in range(times):
        ws = trial.fresh()
        outs = [trial.place / f"out{k}" for k in range(2)]
        one = start(ws.root, outs[0], *NIGHT)
        # Together, or one while the other is at work.
        time.sleep(chance.choice((0.0, 0.0, chance.random() * trial.seconds)))
        two = start(ws.root, outs[1], *(SCORE if number % 2 else NIGHT))
        codes = [ended(one), ended(two)]
        _pair(tally, trial, ws, codes, [_published(out) for out in outs])
    return tally


def _published(out: Path) -> bool:
    text = out.read_text(encoding="utf-8")
    try:
        record = json.loads(text[text.index("{") :])
    except ValueError:
        return False
    return record.get("outcome") == "published" or record.get("published") is True


def _pair(tally: Tally, trial: Trial, ws: hva.Workspace, codes: list[int], published: list[bool]) -> None:
    try:
        runs = run_files(ws, TONIGHT)
        if sum(published) != 1 or not set(codes) <= {0, BUSY} or 0 not in codes:
            tally.wrong("published twice or not at all", f"exit {codes}, published {published}")
        elif whole(ws) != TONIGHT or runs != trial.reference:
            tally.wrong("torn", f"{len(runs)} runs of one night")
        else:
            tally.good("one turned away (exit 4)" if BUSY in codes else "one found it done (exit 0)")
    except (HvaError, AssertionError) as error:
        tally.wrong("torn", f"{type(error).__name__}: {error}"[:300])
