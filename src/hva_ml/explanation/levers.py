"""Which changes of actionable features make sense together: what is done now counts in every window."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hva_ml.features.definition import GROUP, FeatureDefinition

Values = Mapping[str, float]
NESTED = ("count", "distinct", "active_days")
_SLACK = 1e-9


@dataclass(frozen=True)
class Lever:
    """A feature that may be changed: from `least` to `most` in steps of `step`."""

    definition: FeatureDefinition
    least: float
    most: float
    step: float

    @property
    def name(self) -> str:
        """The feature's name."""
        return self.definition.name

    def targets(self) -> list[float]:
        """Return every value the user allows.

        Examples
        --------
        >>> calls = FeatureDefinition("calls", "engagement", "number", "events", "count", "count", "", "")
        >>> Lever(calls, 0.0, 1.0, 0.25).targets()
        [0.0, 0.25, 0.5, 0.75, 1.0]
        """
        steps = math.floor((self.most - self.least) / self.step + _SLACK)
        return [self.least + k * self.step for k in range(steps + 1)]

    def allows(self, value: float) -> bool:
        """Return whether a value lies within the bounds."""
        return self.least - _SLACK <= value <= self.most + _SLACK

    def follows(self, other: "Lever") -> bool:
        """Return whether this one moves along with `other` instead of on its own.

        A longer window follows a shorter one, the whole its part, and the last time the count.
        """
        mine, its = self.definition, other.definition
        whole = subject(mine) in wholes(subject(its))
        if self.name == other.name or not (whole or subject(mine) == subject(its)):
            return False
        if mine.measure == "recency":
            return its.measure == "count" or (whole and its.measure == "recency")
        if kind(mine) != kind(its) or mine.measure not in (*NESTED, "sum"):
            return False
        if mine.window_days is None or its.window_days is None:
            return False
        return mine.window_days > its.window_days or (whole and mine.window_days == its.window_days)


@dataclass(frozen=True)
class Rule:
    """What holds between two features of any real account.

    ``atmost``: the first is at most the second. ``within``: the second is above 0 exactly if the first, in
    days, is at most `days`.
    """

    kind: str
    first: str
    second: str
    days: int = 0

    def holds(self, values: Values) -> bool:
        """Return whether it holds; what is unknown breaks no order."""
        a, b = values[self.first], values[self.second]
        if self.kind == "atmost":
            return not a > b + _SLACK
        return math.isnan(b) or (b > 0) == (a <= self.days)


def subject(d: FeatureDefinition) -> str:
    """Return what a feature is about: its topic without the measure."""
    return d.topic.rpartition(".")[0]


def wholes(about: str) -> tuple[str, ...]:
    """Return what counts a subject, too: all values of its table, and the whole group of companies.

    Examples
    --------
    >>> wholes("events.call"), wholes("group.events.call")
    (('events', 'group.events.call', 'group.events'), ('group.events',))
    """
    above = about.rpartition(".")[0]
    if about.startswith(GROUP):
        return (above,) if above.startswith(GROUP) else ()
    return (above, GROUP + about, GROUP + above) if above else (GROUP + about,)


def kind(d: FeatureDefinition) -> str:
    """Return the measure with its column: the last part of the topic."""
    return d.topic.rpartition(".")[2]


def rules(definitions: Sequence[FeatureDefinition]) -> list[Rule]:
    """Return the rules between the features of a pipeline.

    A longer window holds what a shorter one holds; a part is at most the whole, and last happened no later;
    active days and distinct things are at most what is counted; something has happened in a window exactly if
    it last happened within it.
    """
    known = {d.name: d for d in definitions if d.kind == "number" and d.topic}
    place = {(subject(d), kind(d), d.window_days): d.name for d in known.values()}
    found: list[Rule] = []
    for d in known.values():
        about, what, window = subject(d), kind(d), d.window_days
        larger = [place[key] for w in wholes(about) if (key := (w, what, window)) in place]
        if d.measure in NESTED and window:
            longer = sorted(w for s, k, w in place if (s, k) == (about, what) and w and w > window)
            found += [Rule("atmost", d.name, place[about, what, w]) for w in longer[:1]]
            found += [Rule("atmost", d.name, whole) for whole in larger]
            counted = place.get((about, "count", window))
            found += [Rule("atmost", d.name, counted)] if counted and what != "count" else []
        if d.measure == "recency":
            found += [Rule("atmost", whole, d.name) for whole in larger]
            counts = [(w, n) for (s, k, w), n in place.items() if (s, k) == (about, "count") and w]
            found += [Rule("within", d.name, name, w) for w, name in counts]
    return sorted(found, key=lambda r: (r.kind, r.first, r.second))


def leading(levers: Sequence[Lever]) -> list[Lever]:
    """Return the levers that move on their own: the shortest window of each part."""
    return [v for v in levers if not any(v.follows(other) for other in levers)]


def moves(
    levers: Sequence[Lever], row: Values, known: Sequence[Rule]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the leading feature and all new values of every consistent change.

    What is added to a window is added to the longer ones and to the whole, as far as they are levers too; the
    last time moves to where it usually is with so many, an even spacing. A change that breaks a rule which
    holds now, or leaves any bound, is not made; features that are no levers never move.

    Parameters
    ----------
    levers : sequence of Lever
        What may move.
    row : mapping of str to float
        The account's features of kind number, NaN where unknown.
    known : sequence of Rule
        From `rules`.
    """
    for lever in leading(levers):
        now = row[lever.name]
        for target in lever.targets():
            if target == now or (math.isnan(now) and lever.definition.measure != "recency"):
                continue
            change = {lever.name: target}
            for other in levers:
                if other.follows(lever):
                    _follow(other, lever, target, row, change)
            if consistent(levers, row, change, known):
                yield lever.name, change


def together(levers: Sequence[Lever], row: Values, one: Values, two: Values) -> dict[str, float]:
    """Return two changes as one: what both add to a whole is added up, the later last time counts."""
    measure = {v.name: v.definition.measure for v in levers}
    both = {**one, **two}
    for name in set(one) & set(two):
        if measure[name] == "recency":
            both[name] = min(one[name], two[name])
        elif measure[name] in ("count", "sum"):
            both[name] = one[name] + two[name] - row[name]
        else:
            both[name] = max(one[name], two[name])
    return both


def consistent(
    levers: Sequence[Lever], row: Values, change: Mapping[str, float], known: Sequence[Rule]
) -> bool:
    """Return whether a change keeps all bounds and breaks no rule that holds now."""
    bounds = {v.name: v for v in levers}
    if not all(name in bounds and bounds[name].allows(value) for name, value in change.items()):
        return False
    after = {**row, **change}
    return all(r.holds(after) or not r.holds(row) for r in known if r.first in change or r.second in change)


def _follow(other: Lever, moved: Lever, target: float, row: Values, change: dict[str, float]) -> None:
    """Note in `change` what becomes of a lever that moves along."""
    d, now = moved.definition, row[other.name]
    by = target - row[d.name]
    if other.definition.measure == "recency":
        if d.measure == "recency":
            usual = target
        elif by > 0 and d.window_days:
            usual = d.window_days / (target + 1.0)
            usual = other.least + other.step * max(0, math.floor((usual - other.least) / other.step))
        else:
            return
        if not now <= usual:
            change[other.name] = usual
    elif not math.isnan(now):
        change[other.name] = now + by if d.measure in ("count", "sum") else max(now, target)
