"""A year of nights with shifts on known days, for monitoring: accounts, a model learned before, and outcomes.

Accounts carry forty features that wander slowly; conversions come day by day, none on weekends, and become
known up to three days later. The model is a logistic regression on the year before. Nothing is stored: nights
go through the same functions as published ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from hva_ml.cutoffs import Calendar, instant
from hva_ml.evaluation.backtest import Cohort, measured
from hva_ml.evaluation.metrics import MODEL, ModelPrediction
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.monitoring.digest import Digest, counted
from hva_ml.monitoring.estimate import METRICS, Certainty, Estimate, estimates
from hva_ml.monitoring.outcomes import Came, Outcome, Promised, realised
from hva_ml.monitoring.pace import arrivals, pace
from hva_ml.monitoring.reference import SCORES, Reference, reference
from hva_ml.monitoring.release import Release
from hva_ml.monitoring.under_way import UnderWay, begin_of, counted_until, followed
from hva_ml.monitoring.volumes import habits

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Kind = Literal["covariate", "prior", "concept"]
Strength = Literal["strong", "medium", "weak"]

FIRST = date(2024, 1, 1)
HORIZON = 90
CUTOFFS = 13
BEFORE = 30 * (CUTOFFS - 1) + HORIZON
DRIVERS, OTHERS, CATEGORIES = 6, 30, 4
MEMORY = 0.985
BETA = np.array([0.9, 0.7, -0.6, 0.5, 0.4, -0.3])
SHIFTED = "driver.0"
# How far the shifted feature moves, in its standard deviations; how many times as many conversions come; how
# much of the relation between features and conversion is left.
STRENGTH: dict[Kind, dict[Strength, float]] = {
    "covariate": {"strong": 1.0, "medium": 0.6, "weak": 0.4},
    "prior": {"strong": 0.4, "medium": 0.55, "weak": 0.7},
    "concept": {"strong": 0.0, "medium": 0.35, "weak": 0.55},
}


@dataclass(frozen=True)
class Shift:
    """What changes, how much, from which night to before which."""

    kind: Kind
    strength: Strength
    begin: int
    end: int

    @property
    def size(self) -> float:
        """As in `STRENGTH`."""
        return STRENGTH[self.kind][self.strength]


class World:
    """Accounts and their conversions, day by day; day 0 is the first night."""

    def __init__(self, accounts: int, seed: int, shifts: Sequence[Shift], per_night: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.n, self.shifts = accounts, shifts
        self.latent = self.rng.normal(size=(accounts, DRIVERS + OTHERS)).astype(np.float32)
        self.category = self.rng.choice(6, size=(accounts, CATEGORIES), p=[0.35, 0.25, 0.2, 0.1, 0.07, 0.03])
        self.unknown = self.rng.random((accounts, 3)) < 0.2
        # The mean of exp(β·x) over normal x is exp(β²/2).
        self.base = per_night / accounts / np.exp(float(BETA @ BETA) / 2)
        self.order = np.exp(self.rng.normal(8.0, 0.5, accounts))
        self.conversions: list[tuple[int, Ints, Ints, Floats]] = []
        self.ids = pa.array([f"A{k:06d}" for k in range(accounts)])
        names = np.array(["north", "south", "east", "west", "abroad", "rare"])
        self.named = [pa.array(names[self.category[:, k]].tolist(), pa.string()) for k in range(CATEGORIES)]

    def _on(self, day: int, kind: Kind) -> Shift | None:
        return next((s for s in self.shifts if s.kind == kind and s.begin <= day < s.end), None)

    def drivers(self, day: int) -> Floats:
        """Return what drives conversions, as it is on a day."""
        x = self.latent[:, :DRIVERS].astype(np.float64)
        shift = self._on(day, "covariate")
        if shift is not None:
            x[:, 0] += shift.size
        return x

    def step(self, day: int) -> None:
        """Let a day pass: conversions on it, then everything wanders on."""
        x = self.drivers(day)
        rate = np.exp(x @ BETA)
        concept, prior = self._on(day, "concept"), self._on(day, "prior")
        if concept is not None:
            other = np.exp(x @ (BETA * concept.size))
            rate = other * rate.mean() / other.mean()
        weekday = (FIRST + timedelta(days=day)).weekday()
        week = 7 / 5 if weekday < 5 else 0.0
        hazard = self.base * rate * week * (prior.size if prior is not None else 1.0)
        who = np.flatnonzero(self.rng.random(self.n) < -np.expm1(-hazard)).astype(np.int64)
        known = day + self.rng.integers(0, 4, len(who))
        amount = self.order[who] * np.exp(self.rng.normal(-0.08, 0.4, len(who)))
        self.conversions.append((day, who, known, amount))
        noise = self.rng.standard_normal(self.latent.shape, dtype=np.float32)
        self.latent = np.float32(MEMORY) * self.latent + np.float32(np.sqrt(1 - MEMORY**2)) * noise

    def features(self, day: int) -> pa.Table:
        """Return the features of a day, by account."""
        x, moment = self.drivers(day), instant(FIRST + timedelta(days=day))
        columns: dict[str, Any] = {
            "account_id": self.ids,
            "cutoff": pa.repeat(pa.scalar(moment, pa.timestamp("us", "UTC")), self.n),
            "group_id": pa.nulls(self.n, pa.string()),
        }
        for k in range(DRIVERS):
            columns[f"driver.{k}"] = pa.array(x[:, k])
        for k in range(OTHERS):
            z = self.latent[:, DRIVERS + k].astype(np.float64)
            values = z if k < 10 else np.exp(z) if k < 20 else np.floor(np.exp(z + 0.3))
            mask = self.unknown[:, k] if k < self.unknown.shape[1] else None
            columns[f"other.{k}"] = pa.array(values, mask=mask)
        for k, category in enumerate(self.named):
            columns[f"category.{k}"] = category
        return pa.table(columns)

    def after(self, day: int, until: int) -> tuple[Floats, Floats, Ints]:
        """Return outcome and value of the horizon that begins on a day, and when one knew of the first.

        Only what is known before day `until` counts for the last.
        """
        converted, value = np.zeros(self.n), np.zeros(self.n)
        first = np.full(self.n, np.iinfo(np.int64).max)
        for when, who, known, amount in self.conversions[day + BEFORE : day + HORIZON + BEFORE]:
            assert day <= when < day + HORIZON
            converted[who] = 1.0
            np.add.at(value, who, amount)
            seen = known < until
            np.minimum.at(first, who[seen], known[seen] - day)
        return converted, value, np.where(first == np.iinfo(np.int64).max, -1, first)


@dataclass(frozen=True, eq=False)
class Model:
    """What was learned before the first night."""

    fitted: LogisticRegression
    level: float
    reference: Reference

    def predict(self, features: pa.Table) -> tuple[Floats, Floats]:
        """Return probability, and value if converted."""
        x = np.column_stack([features[f"driver.{k}"].to_numpy() for k in range(DRIVERS)])
        p = self.fitted.predict_proba(x)[:, 1]
        return p, np.full(len(p), self.level) * np.exp(0.05 * x[:, 0])


def definitions() -> tuple[FeatureDefinition, ...]:
    """Return the definitions of the features."""
    names = [*(f"driver.{k}" for k in range(DRIVERS)), *(f"other.{k}" for k in range(OTHERS))]
    numbers = [(n, "number", "number") for n in names]
    categories = [(f"category.{k}", "category", "category") for k in range(CATEGORIES)]
    return tuple(
        FeatureDefinition(n, "engagement", kind, "events", "count", unit, n, n)  # type: ignore[arg-type]
        for n, kind, unit in (*numbers, *categories)
    )


def learn(world: World, segment: str = "category.0") -> Model:
    """Let the year before pass, and learn from it what a release would carry along."""
    days = [-BEFORE + 30 * k for k in range(CUTOFFS)]
    tables: dict[int, pa.Table] = {}
    for day in range(-BEFORE, 0):
        if day in days:
            tables[day] = world.features(day)
        world.step(day)
    outcomes = [world.after(day, 0) for day in days]
    whole = pa.concat_tables([tables[d] for d in days])
    x = np.column_stack([whole[f"driver.{k}"].to_numpy() for k in range(DRIVERS)])
    converted = np.concatenate([o[0] for o in outcomes])
    value = np.concatenate([o[1] for o in outcomes])
    fitted = LogisticRegression(C=1e4).fit(x, converted)
    features = FeatureSet(whole, definitions())
    calendar = Calendar(tuple(FIRST + timedelta(days=d) for d in days), HORIZON, 0, "UTC")
    level = float(value[converted > 0].mean())
    model = Model(fitted, level, Reference(FIRST, FIRST, 0, HORIZON, "", (), ()))
    p, v = model.predict(whole)
    calibrated = np.repeat(np.arange(CUTOFFS) >= CUTOFFS - 3, world.n)
    numbers = (p, v, p * v)
    found = reference(
        features, calendar, calibrated,
        {name: c[calibrated] for name, c in zip(SCORES, numbers, strict=True)}, segment,
    )  # fmt: skip
    certainty = Certainty.of(p[calibrated][::3])
    account = np.concatenate([who for _, who, _, _ in world.conversions])
    came = np.concatenate([known for _, _, known, _ in world.conversions])
    micros = 86_400_000_000
    last = slice((CUTOFFS - 1) * world.n, CUTOFFS * world.n)
    found = replace(
        found,
        habits=habits({f"source.{k}": np.array([_rows(world, d, k) for d in days]) for k in range(3)},
                      [world.n] * CUTOFFS),
        pace=pace(
            p, converted > 0, np.concatenate([o[2] for o in outcomes]),
            arrivals(account, (came + BEFORE) * micros, 7 * micros, BEFORE * micros,
                     (FIRST + timedelta(days=7 - BEFORE)).weekday()),
            0, HORIZON,
        ),
        certainty=certainty,
        estimates=estimates(p[last], v[last], certainty, 7, draws=40),
        promises=_promises(p[last], v[last], converted[last], value[last]),
    )  # fmt: skip
    return replace(model, reference=found)


def _promises(p: Floats, v: Floats, converted: Floats, value: Floats) -> tuple[Estimate, ...]:
    groups = np.array([f"A{k:06d}" for k in range(len(p))])
    cohort = Cohort(FIRST, converted, value, groups, 50)
    found = measured(FIRST, MODEL, ModelPrediction(p, v, p * v), cohort, resamples=100, seed=7, names=METRICS)
    return tuple(Estimate(m, found.points[m], float(found.draws[m].std())) for m in METRICS)


def _rows(world: World, day: int, source: int) -> int:
    """Return rows of four weeks: Poisson, and weeks differ by five percent."""
    rng = np.random.default_rng([day + 10_000, source, world.n])
    return int(rng.poisson(world.n * (0.5 + source) * np.exp(rng.normal(0, 0.05))))


def nights(
    world: World, model: Model, count: int, *, every: int = 1, capacity: int = 200, resamples: int = 40
) -> Release:
    """Let nights pass, sum each up as a published one, and compare every so many with what came of them."""
    digests, told = [], {}
    for day in range(count):
        features = world.features(day)
        p, v = model.predict(features)
        digests.append(_digest(world, model, day, features, p, v))
        told[day] = (p, v)
        world.step(day)
    outcomes = tuple(
        _outcome(world, day, *told[day], capacity, resamples, count)
        for day in range(0, count - HORIZON, every)
    )
    parts = tuple(_followed(world, model, told, count))
    return Release("simulated", tuple(digests), model.reference, outcomes, HORIZON, parts)


def _digest(world: World, model: Model, day: int, features: pa.Table, p: Floats, v: Floats) -> Digest:
    scores = pa.table({name: pa.array(c) for name, c in zip(SCORES, (p, v, p * v), strict=True)})
    certainty = model.reference.certainty
    assert certainty is not None
    as_of = (FIRST + timedelta(days=day)).isoformat()
    return Digest(
        as_of, f"{day:016x}", "simulated", "1", day, world.n, counted(model.reference, features, scores),
        {f"source.{k}": _rows(world, day, k) for k in range(3)}, estimates(p, v, certainty, 7, draws=20),
        (float(p.sum()), float((p * v).sum())),
    )  # fmt: skip


def _outcome(
    world: World, day: int, p: Floats, v: Floats, capacity: int, resamples: int, until: int
) -> Outcome:
    rank = np.argsort(np.argsort(-(p * v), kind="stable"), kind="stable") + 1
    tier = np.where(rank <= world.n // 10, "A", np.where(rank <= world.n // 3, "B", "C"))
    groups = np.asarray(world.ids.to_pylist())
    converted, value, _ = world.after(day, until)
    when = FIRST + timedelta(days=day)
    metrics, kept, worked = realised(
        Promised(p, v, tier, rank, rank <= capacity, groups), Came(converted, value), when,
        resamples=resamples, seed=7,
    )  # fmt: skip
    known = (when + timedelta(days=HORIZON)).isoformat()
    return Outcome(when.isoformat(), f"{day:016x}", "simulated", known, (0,), metrics, kept, worked)


def _followed(
    world: World, model: Model, told: dict[int, tuple[Floats, Floats]], count: int
) -> Iterator[UnderWay]:
    assert model.reference.pace is not None
    for when in followed([FIRST + timedelta(days=d) for d in told]):
        day = (when - FIRST).days
        _, _, after = world.after(day, count)
        begin = begin_of(0, HORIZON)
        length, seen, due = counted_until(model.reference.pace, told[day][0], after, begin, count - day)
        yield UnderWay(when.isoformat(), f"{day:016x}", "simulated", begin, length, seen, due)
