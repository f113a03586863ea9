"""Machines in other time zones and with wrong clocks make the same night; local times follow one rule.

The clock is moved for every library at once, by a few lines of C loaded before them. Local times around
every change of the clocks are held to an oracle of `zoneinfo` alone.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa

from benchmarks.trust.kills import NIGHT, Trial
from benchmarks.trust.tally import Tally
from benchmarks.trust.world import TONIGHT, run_files, whole
from hva_ml.contracts.clocks import instants

MACHINES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
YEAR = 365 * 86_400
SHIFTS = {"right": 0, "ten years slow": -10 * YEAR, "ten years fast": 10 * YEAR}
SHIM = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long shift(void) { const char *s = getenv("HVA_SHIFT"); return s ? atol(s) : 0; }
int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int done = real(id, at);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) at->tv_sec += shift();
  return done;
}
time_t time(time_t *out) {
  struct timespec at; clock_gettime(CLOCK_REALTIME, &at);
  if (out) *out = at.tv_sec;
  return at.tv_sec;
}
int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  struct timespec at; clock_gettime(CLOCK_REALTIME, &at);
  out->tv_sec = at.tv_sec; out->tv_usec = at.tv_nsec / 1000;
  return 0;
}
"""


def may_shift() -> bool:
    """Whether this machine can compile what moves the clock."""
    return shutil.which("cc") is not None


def shim(place: Path) -> Path:
    """Compile what moves the clock."""
    source, made = place / "clock.c", place / "clock.so"
    source.write_text(SHIM, encoding="utf-8")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True, capture_output=True)
    return made


def run(command: tuple[str, ...], zone: str, shift: int, place: Path) -> tuple[int, str]:
    """Run Python on a machine of that zone whose clock is wrong by so many seconds."""
    environment = {**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join(sys.path[1:])}
    if shift:
        environment |= {"LD_PRELOAD": str(shim(place)), "HVA_SHIFT": str(shift)}
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def nights(trial: Trial, *, every: bool) -> Tally:
    """Make the night on machines of all zones, with right and wrong clocks."""
    tally = Tally("a night in another time zone or with a wrong clock")
    shifts = SHIFTS if may_shift() else {"right": 0}
    tried = [(zone, name) for zone in MACHINES for name in shifts]
    for zone, name in tried if every else [("America/New_York", list(shifts)[-1])]:
        ws = trial.fresh()
        code, said = run(
            ("-m", "hva_ml.cli", *NIGHT, "--root", str(ws.root)), zone, shifts[name], trial.place
        )
        if code or whole(ws) != TONIGHT or run_files(ws, TONIGHT) != trial.reference:
            tally.wrong("another night", f"{zone}, clock {name}: exit {code}: {said[-300:]}")
        else:
            tally.good("the same bits")
    return tally


def local_times(*, every: bool) -> Iterator[Tally]:
    """Read local times around every change of the clocks, on machines of all zones."""
    for zone in ZONES:
        tally = Tally(f"local times of {zone}")
        walls = sorted(_walls(ZoneInfo(zone), 2000 if every else 2024))
        expected = [_oracle(wall, ZoneInfo(zone)) for wall in walls]
        forms = {
            "text": pa.array([w.isoformat(sep=" ", timespec="microseconds") for w in walls]),
            "timestamps": pa.array(walls, pa.timestamp("us")),
        }
        for machine in MACHINES:
            with _machine(machine):
                for name, form in forms.items():
                    _held(tally, _said(form, zone), expected, f"{zone} as {name} on {machine}")
        yield tally


def _said(form: pa.Array, zone: str) -> list[datetime | None]:
    values = instants(form, zone).values
    assert values is not None
    found: list[datetime | None] = values.to_pylist()
    return found


def _walls(zone: ZoneInfo, first: int) -> set[datetime]:
    """Return walls around all changes of the clock, cutoffs, leap days and turns of the year."""
    found: set[datetime] = set()
    for year in range(first, 2027):
        days = [datetime(year, 1, 1), datetime(year, 2, 28), datetime(year, 12, 31)]  # noqa: DTZ001
        day = datetime(year, 1, 1, tzinfo=UTC)
        while day.year == year:
            before, after = (d.astimezone(zone).utcoffset() for d in (day, day + timedelta(days=1)))
            if before != after:
                days.append(day.replace(tzinfo=None))
            day += timedelta(days=1)
        for start in days:
            for minutes in range(-30 * 60, 54 * 60, 15):
                wall = start + timedelta(minutes=minutes)
                found |= {wall, wall - timedelta(microseconds=1), wall + timedelta(microseconds=1)}
    return found


def _oracle(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first instant at which clocks show this, None if they never do."""
    both = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [at for at in both if at.astimezone(zone).replace(tzinfo=None) == wall]
    return min(shown, default=None)


def _held(tally: Tally, said: Sequence[datetime | None], expected: list[datetime | None], what: str) -> None:
    for found, right in zip(said, expected, strict=True):
        if found != right:
            tally.wrong("another instant", f"{what}: {found} instead of {right}")
        else:
            tally.good(
                "refused: clocks never showed it" if right is None else "the instant, the earlier of two"
            )


@contextmanager
def _machine(zone: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def clocks(trial: Trial, *, every: bool) -> Iterator[Tally]:
    """Return all lines."""
    yield nights(trial, every=every)
    yield from local_times(every=every)
