"""Monitoring: nights until an alarm, false alarms in a year, and what a history of nights costs.

`python -m benchmarks.monitoring [--size small|full] [--json FILE]`. Years of 365 nights in which three shifts
happen, one strong, one medium, one weak, each for 45 nights; every kind of shift comes in every strength. And
years in which nothing happens. `benchmarks.simulated_nights.STRENGTH` says how large the shifts are. A prior
shift counts as told by an alarm of fewer conversions only.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import numpy as np

from benchmarks.results import tell
from benchmarks.simulated_nights import FIRST, HORIZON, SHIFTED, Kind, Shift, Strength, World, learn, nights
from hva_ml.config import Monitoring, parse
from hva_ml.jobs.monitoring_page import view_of
from hva_ml.monitoring.digest import Digest
from hva_ml.monitoring.episodes import Episode
from hva_ml.monitoring.feedback import feedback
from hva_ml.monitoring.history import History
from hva_ml.monitoring.judgement import Judged, judge
from hva_ml.monitoring.release import Release
from hva_ml.reports.language import Tongue
from hva_ml.reports.monitoring import sentence, write

NIGHTS = 365
BEGINS, LASTS = (70, 165, 260), 45
ASKED: dict[Strength, int] = {"strong": 7, "medium": 14, "weak": 30}
# After how many nights all traces of a shift are gone from what looks at features, and at outcomes.
GONE = {"HVM001": 3, "HVM002": 3, "HVM003": 3, "HVM004": 3, "HVM005": 30}
TELLS: dict[Kind, tuple[str, ...]] = {
    "covariate": ("HVM002", "HVM003"), "prior": ("HVM005",), "concept": ("HVM005",)
}  # fmt: skip


def year(seed: int, accounts: int, per_night: float, shifts: Sequence[Shift]) -> list[Episode]:
    """Return every alarm of a year."""
    world = World(accounts, seed, shifts, per_night)
    found = nights(world, learn(world), NIGHTS, every=3)
    return list(judge(found, Monitoring(), (0.7, 1.4)).episodes)


def night_of(day: str) -> int:
    """Return the number of a night."""
    return (date.fromisoformat(day) - FIRST).days


def until_alarm(episodes: Sequence[Episode], shift: Shift) -> int | None:
    """Return on which night of a shift the first alarm that tells it was raised; None for never."""
    found = [
        night_of(e.raised) - shift.begin + 1
        for e in episodes
        if e.code in TELLS[shift.kind] and shift.begin <= night_of(e.raised) < shift.end
        and (shift.kind != "covariate" or e.where == SHIFTED or e.code == "HVM003")
        and (shift.kind != "prior" or e.where == "fewer")
    ]  # fmt: skip
    return min(found, default=None)


def is_false(episode: Episode, shifts: Sequence[Shift]) -> bool:
    """Return whether an alarm speaks of nothing that was there: no shift then, or another feature."""
    raised, since = night_of(episode.raised), night_of(episode.since)
    if episode.code in ("HVM006", "HVM007"):
        # These speak of a horizon: from the night to its end.
        return not any(s.begin < since + HORIZON and since < s.end + 3 for s in shifts)
    if not any(s.begin <= raised < s.end + GONE[episode.code] for s in shifts):
        return True
    if episode.code != "HVM002":
        return False
    covariate = [s for s in shifts if s.kind == "covariate" and s.begin <= raised < s.end + 3]
    return not (episode.where == SHIFTED and covariate)


def plans() -> list[tuple[Shift, ...]]:
    """Return three years in which every kind of shift comes in every strength."""
    kinds, strengths = get_args(Kind), get_args(Strength)
    return [
        tuple(
            Shift(kind, strengths[(k + turn) % 3], BEGINS[k], BEGINS[k] + LASTS)
            for k, kind in enumerate(kinds)
        )
        for turn in range(3)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Nights until an alarm, and false alarms in a year.")
    parser.add_argument("--size", choices=["small", "full"], default="small")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    accounts, per_night, seeds, quiet = (8_000, 60.0, 1, 1) if asked.size == "small" else (15_000, 60.0, 3, 6)
    waited: dict[tuple[str, str], list[int | None]] = defaultdict(list)
    false: list[int] = []
    for seed in range(1, seeds + 1):
        for shifts in plans():
            episodes = year(seed, accounts, per_night, shifts)
            for s in shifts:
                waited[s.kind, s.strength].append(until_alarm(episodes, s))
            false.append(_number(e for e in episodes if is_false(e, shifts)))
            print(f"seed {seed}: {[(s.kind, s.strength, until_alarm(episodes, s)) for s in shifts]}, "
                  f"{false[-1]} false", flush=True)  # fmt: skip
    still = [_number(year(100 + seed, accounts, per_night, ())) for seed in range(quiet)]
    rows = [_row(kind, strength, waited[kind, strength]) for kind, strength in sorted(waited, key=_order)]
    rows.append(_false("false alarms, years with shifts", false))
    rows.append(_false("false alarms, years without", still))
    rows += history()
    tell(
        "monitoring", rows, asked.json, size=asked.size, accounts=accounts, conversions_per_night=per_night
    )  # fmt: skip


def _order(case: tuple[str, str]) -> tuple[int, int]:
    return get_args(Kind).index(case[0]), get_args(Strength).index(case[1])


def _number(episodes: Any) -> int:
    """Count alarms: what is raised on one night under one code is one alarm."""
    return len({(e.code, e.raised) for e in episodes})


def _row(kind: str, strength: str, found: Sequence[int | None]) -> dict[str, Any]:
    told = [n for n in found if n is not None]
    bound = ASKED[strength]  # type: ignore[index]
    return {
        "case": f"{kind}, {strength}: nights until alarm",
        "median": float(np.median(told)) if told else None,
        "worst": max(told) if len(told) == len(found) else "never",
        "asked": f"<= {bound}",
        "holds": f"{sum(n is not None and n <= bound for n in found)} of {len(found)}",
    }


def _false(case: str, found: Sequence[int]) -> dict[str, Any]:
    return {
        "case": case, "median": float(np.median(found)), "worst": max(found), "asked": "<= 2",
        "holds": f"{sum(n <= 2 for n in found)} of {len(found)}",
    }  # fmt: skip


def history(features: int = 200, segments: int = 6) -> list[dict[str, Any]]:
    """Measure 365 nights of 200 features: bytes a night on disk, seconds to read and judge them, the page."""
    world = World(3_000, 3, (), 30.0)
    model = learn(world)
    first = nights(world, model, NIGHTS)
    subject = next(s for s in model.reference.subjects if s.name == "other.5")
    counts = first.nights[0].counts["other.5"]
    wide = {f"feature.{k}": np.vstack([counts[:1]] * (1 + segments)) for k in range(features)}
    reference = replace(
        model.reference,
        segments=tuple(f"segment {k}" for k in range(segments)),
        subjects=tuple(
            replace(subject, bins=replace(subject.bins, name=n),
                    counts=np.vstack([subject.counts[:1]] * (1 + segments)))
            for n in wide
        ),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="hva-history-") as folder:
        kept = History(Path(folder))
        rng = np.random.default_rng(0)
        for k in range(NIGHTS):
            moved = {n: rng.multinomial(3_000, c[0] / c[0].sum(), size=1 + segments) for n, c in wide.items()}
            day = (FIRST + timedelta(days=k)).isoformat()
            kept.keep(replace(first.nights[0], as_of=day, run_id=f"{k:016x}", counts=moved))
        size = sum(p.stat().st_size for p in Path(folder).rglob("*.gz")) / NIGHTS / 1024
        began = time.perf_counter()
        read: tuple[Digest, ...] = kept.nights(FIRST + timedelta(days=NIGHTS))
        reading = time.perf_counter() - began
        release = replace(first, nights=read, reference=reference)
        judged = judge(release, Monitoring(), (0.7, 1.4))
        judging = time.perf_counter() - began - reading
        page = _page(release, judged, Path(folder) / "monitoring.html").stat().st_size / 1024
    case = f"{NIGHTS} nights of {features} features in {segments} segments"
    return [
        {"case": f"{case}: KiB a night", "median": round(size, 1)},
        {"case": f"{case}: seconds to read", "median": round(reading, 1)},
        {"case": f"{case}: seconds to judge", "median": round(judging, 1)},
        {"case": f"{case}: KiB of the page", "median": round(page)},
    ]


def _page(release: Release, judged: Judged, path: Path) -> Path:
    """Write the page about one release, with all its charts."""
    text = (files("hva_ml.starter") / "pipelines" / "dach_sample.toml").read_text(encoding="utf-8")
    tongue, day = Tongue("en"), FIRST + timedelta(days=NIGHTS)
    texts = [sentence(f, {}, tongue) for f in judged.findings]
    worked = feedback(release.foreseen, HORIZON)
    view = view_of(
        parse(text, "dach_sample.toml"), day, [release], [judged], judged.findings, texts, "", worked, {},
        tongue,
    )  # fmt: skip
    return write(view, path)


if __name__ == "__main__":
    main()
