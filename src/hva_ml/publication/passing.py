"""Moves that are the calendar's: rows that leave a window, a month that begins, a rush that there was before.

From last night to tonight a feature moves in three steps. Sources may say otherwise of last night than they
did (`again`), time passes (`aged`), and rows come. A fault shows in the first step, or in the last. So a move
is let through if the first step is none, and if what came since last night adds little to what passed, or
leads to where the feature was on an earlier published night.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from hva_ml.publication.nights import Night, Profile, Tonight, profiles_of
from hva_ml.publication.reading import manifest_of, runs

REMEMBERED_DAYS = 366


@dataclass(frozen=True)
class Steps:
    """A feature between two nights.

    Attributes
    ----------
    before, again, aged, now : Profile
        As last night said; as tonight's sources say of last night; as tonight would be if nothing had come
        since; as tonight is.
    earlier : sequence of Profile
        Of the published nights of a year.
    """

    before: Profile
    again: Profile
    aged: Profile
    now: Profile
    earlier: Sequence[Profile]


class Passing:
    """What time alone does to features; nothing is computed before something has moved.

    Parameters
    ----------
    folder : pathlib.Path or None
        ``data/scores/<pipeline>``, None if there are no earlier nights to be looked at.
    tonight : Tonight
        The run that is to be published.
    last : Night
        The run that counts until now.
    """

    def __init__(self, folder: Path | None, tonight: Tonight, last: Night) -> None:
        self._folder, self._tonight, self._last = folder, tonight, last

    def steps(self, name: str) -> Steps | None:
        """Return the steps of a feature; None if its sources cannot be asked."""
        again, aged = self._computed
        if name not in again or name not in aged:
            return None
        earlier = [night[name] for night in self._earlier if name in night]
        now, before = self._tonight.night.features[name], self._last.features[name]
        return Steps(before, again[name], aged[name], now, earlier)

    @cached_property
    def _computed(self) -> tuple[Mapping[str, Profile], Mapping[str, Profile]]:
        ask, day = self._tonight.as_known, self._last.as_of
        return ({}, {}) if ask is None else (ask(day, day), ask(self._tonight.night.as_of, day))

    @cached_property
    def _earlier(self) -> Sequence[Mapping[str, Profile]]:
        return earlier(self._folder, self._tonight.night.as_of) if self._folder else ()


def earlier(folder: Path, day: date) -> tuple[Mapping[str, Profile], ...]:
    """Return the features of the published nights of a year before a day, as far as their runs are there."""
    found = []
    for run in runs(folder):
        as_of = str(run.identity.get("as_of", ""))
        if as_of and 0 < (day - date.fromisoformat(as_of)).days <= REMEMBERED_DAYS:
            found.append(profiles_of(manifest_of(run.path)))
    return tuple(found)


Excess = Callable[[Profile, Profile], float]


def level_passed(steps: Steps | None, excess: Excess, factor: float) -> bool:
    """Whether a mean size moved as time passed; `excess` says by how much one is too far from another."""
    if steps is None:
        return False
    before, again, aged, now = (p.level for p in (steps.before, steps.again, steps.aged, steps.now))
    if before is None or again is None or now is None or excess(steps.again, steps.before) > 0:
        return False
    # What is the same for all has no level; nothing at all has one.
    if aged is not None:
        there = max(before, aged)
        if (1 / factor - 1) * there <= now - aged <= (factor - 1) * there:
            return True
    known = [p.level for p in steps.earlier if p.level is not None]
    return bool(known) and min(known) / factor <= now <= max(known) * factor


def unknown_passed(steps: Steps | None, excess: Excess, most: float) -> bool:
    """Whether an unknown share moved as time passed."""
    if steps is None or excess(steps.again, steps.before) > 0:
        return False
    now = steps.now.null_share
    if abs(now - steps.aged.null_share) <= most:
        return True
    known = [p.null_share for p in steps.earlier]
    return bool(known) and min(known) - most <= now <= max(known) + most


def frozen_passed(steps: Steps | None) -> bool:
    """Whether a feature became the same for all as time passed: without the rows of tonight, too."""
    return steps is not None and bool(steps.again.apart) and steps.aged.apart == 0
