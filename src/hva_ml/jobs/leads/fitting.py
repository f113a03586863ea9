"""The likelihood of one set of leads: family, fit, average, calibration out of sample. It stores nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hva_ml import calibration
from hva_ml.calibration import Calibrated, Later, Platt
from hva_ml.config import PipelineConfig
from hva_ml.contracts.decisions import Decisions, Floats, Ints
from hva_ml.errors import NotEnoughDataError
from hva_ml.features.definition import FeatureSet
from hva_ml.features.leads import AGE
from hva_ml.jobs.leads.candidates import SHARES, Candidate, Other, best_of, others, with_trials
from hva_ml.jobs.leads.cohorts import MONTH_DAYS, cohorts_of
from hva_ml.jobs.likelihood import known_before, row_weights
from hva_ml.jobs.segments import membership, shifts
from hva_ml.splits import group_folds, group_uniform
from hva_ml.training.booster import Booster
from hva_ml.training.courses import Course, ahead, in_turn
from hva_ml.training.folds import Fold
from hva_ml.training.matrix import Encoder
from hva_ml.training.search import SearchResult, search
from hva_ml.training.sums import Steps, additive, combined
from hva_ml.training.waiting import Lesson, lesson, still_to_come

INNER_FOLDS = 5
INNER_REPEATS = 2
SEEDS = 5
BAGGING: Mapping[str, Any] = {"bagging_fraction": 0.8, "bagging_freq": 1}
MIN_EACH = 10.0


@dataclass(frozen=True, eq=False)
class Likelihood:
    """A calibrated conversion model over one encoding, and how it was chosen.

    Attributes
    ----------
    encoder, booster, calibrated
        Features to matrix, matrix to margin, margin to probability.
    trees : SearchResult
        Settings of the trees.
    found : SearchResult
        Settings chosen, with all that was tried.
    learned : Lesson
        What it was learned from.
    """

    encoder: Encoder
    booster: Booster
    calibrated: Calibrated
    trees: SearchResult
    found: SearchResult
    learned: Lesson


@dataclass(frozen=True, eq=False)
class _Table:
    """What every candidate of one fit stands on."""

    X: Floats
    course: Course
    extra: Floats
    encoder: Encoder
    ordered: frozenset[str]
    timed: bool
    config: PipelineConfig

    def part(self, part: Fold) -> tuple[Floats, Floats, Floats]:
        """Return matrix, outcome and weight of the rows that a part fits on."""
        places = self.course.rows[part.fit]
        return self.X[places], self.course.y[part.fit], self.course.weight[part.fit] * self.extra[places]

    def forest(
        self, X: Floats, y: Floats, weight: Floats, settings: Mapping[str, Any], rounds: int, more: int = 0
    ) -> Booster:
        """Fit trees; `more` is added to the seed."""
        return Booster.fit(
            X, y, objective="binary", names=self.encoder.names, params=settings, rounds=rounds,
            seed=self.config.models.seed + more, weight=weight,
        )  # fmt: skip

    def beside(self, part: Fold, other: Other) -> Booster:
        """Fit another family to the rows of a part."""
        return other.fit(*self.part(part), self.encoder, self.ordered)

    def held_out(self, models: Sequence[Booster]) -> Floats:
        """Return the margins of what judges, one model for each part; of several repeats their mean."""
        course = self.course
        found = [
            m.margin(self.X[course.rows[p.valid]]) for m, p in zip(models, course.parts, strict=True)
        ]  # fmt: skip
        if self.timed:
            return np.concatenate(found)
        n = len(self.X)
        sums = np.bincount(course.judged, np.concatenate(found), n)
        return np.asarray(sums / np.bincount(course.judged, minlength=n))

    def judged(self) -> tuple[Floats, Floats, Ints, Ints]:
        """Return outcome, weight, position among the leads and block of what judges, as margins stand."""
        if not self.timed:
            everyone = np.arange(len(self.X))
            return self.course.y, self.extra, everyone, np.zeros_like(everyone)
        judged = self.course.judged
        rows = self.course.rows[judged]
        block = np.repeat(np.arange(len(self.course.parts)), [len(p.valid) for p in self.course.parts])
        return self.course.y[judged], self.course.weight[judged] * self.extra[rows], rows, block

    def losses(self, margin: Floats) -> Floats:
        """Return parts of the mean log loss held out, with the best slope, and a level for each block."""
        y, weight, _, block = self.judged()
        try:
            return calibration.shared_slope(margin, y, weight, block)[1]
        except NotEnoughDataError:
            return np.full(len(y), np.inf)

    def in_between(self, whole: Lesson, rows: FeatureSet) -> Course:
        """Return folds of whole groups of all that was learned: they say at what level the model stands."""
        groups = rows.table["group_id"].to_pylist()
        mine = group_folds(groups, INNER_FOLDS, self.config.models.seed, "level")[whole.rows]
        parts = tuple(Fold(np.flatnonzero(mine != k), np.flatnonzero(mine == k)) for k in range(INNER_FOLDS))
        return Course(whole.rows, whole.y, whole.weight, parts)

    def calibrated(
        self, margin: Floats, slope: float | None, rows: FeatureSet, told: Decisions
    ) -> Calibrated:
        """Learn from leads held out what probability a margin means, and where the rate of wins stands.

        A lead that was still open is won or lost here by lot, with the chance that it had.
        """
        y, _, places, _ = self.judged()
        weight = self.course.weight[self.course.judged] if self.timed else np.ones(len(y))
        models = self.config.models
        drawn = Lesson(places, y, weight).drawn(lots(rows, models.seed))
        groups = np.asarray(rows.table["group_id"].to_pylist(), dtype=object)[places[drawn]].tolist()
        cohorts, wait = cohorts_of(told, self.config)
        later = Later.of(
            margin[drawn], y[drawn], cohorts[places[drawn]], groups, self.extra[places[drawn]],
            membership(self.X[places[drawn]], self.encoder, self.config),
        )  # fmt: skip
        return calibration.calibrate(
            later, models.calibration, models.base_rate if self.timed else "pooled",
            interval=models.interval, wait_days=wait, seed=models.seed, slope=slope,
            cohort_days=float(MONTH_DAYS) if told.by_day else 0.0,
        )  # fmt: skip


def fit_likelihood(
    features: FeatureSet,
    told: Decisions,
    moment: int | None,
    config: PipelineConfig,
    *,
    storage: str | None,
    study: str,
    progress: Any = None,
    trees: SearchResult | None = None,
) -> Likelihood:
    """Choose, fit and calibrate the conversion model of leads, by what was known at a moment.

    Trees are searched for; beside them stand the additive model and logistic regression, each with several
    penalties. The family is chosen by the leads held out, after calibration: one of them, or the mean of the
    margins of trees and one other. Where time is known five differently seeded forests on four fifths of the
    rows are averaged; where it is not, those of all folds are. The calibration is learned from leads that the
    models in question had not seen.

    Parameters
    ----------
    features : FeatureSet
        Leads that may train, shape (n_leads, …).
    told : Decisions
        Of these leads.
    moment : int or None
        Day or place at which the model is made; None where time is unknown.
    config : PipelineConfig
        With ``[leads]``.
    storage, study
        Of the search; without storage in memory.
    progress : callable, optional
        Called after each trial with (finished, all, best loss).
    trees : SearchResult, optional
        Settings found earlier: then the trees are not searched for again.

    Raises
    ------
    NotEnoughDataError
        If there are too few wins, or others, to learn from and to judge by.
    """
    leads = config.leads
    assert leads is not None
    encoder = Encoder.fit(features, {f"lead.{n}": f.order for n, f in leads.features.items() if f.order})
    X = encoder.transform(features)
    whole = lesson(X, told, encoder.columns, moment)
    _enough(whole)
    if moment is None:
        groups = features.table["group_id"].to_pylist()
        course = in_turn(told, groups, INNER_FOLDS, INNER_REPEATS, config.models.seed)
    else:
        course = ahead(X, told, encoder.columns, whole)
    extra = row_weights(features, config.models)
    table = _Table(
        X, course, np.ones(len(X)) if extra is None else extra, encoder,
        frozenset(f"lead.{n}" for n, f in leads.features.items() if f.order), moment is not None, config,
    )  # fmt: skip
    known = known_before(features, config.models)
    found = trees or search(
        "conversion", X[course.rows], course.y, [], np.empty(0, dtype=np.int64), config=config.search,
        models=config.models, names=encoder.names, storage=storage, study_name=study, progress=progress,
        weight=course.weight * table.extra[course.rows], fixed=known,
        parts=course.parts if moment is not None else course.parts[:INNER_FOLDS],
    )  # fmt: skip
    return _chosen(table, whole, found, known, features, told, moment)


def _chosen(
    table: _Table, whole: Lesson, found: SearchResult, known: Mapping[str, Any], features: FeatureSet,
    decided: Decisions, moment: int | None,
) -> Likelihood:  # fmt: skip
    settings = {**found.params, **BAGGING, **known}
    forests = [table.forest(*table.part(p), settings, found.rounds) for p in table.course.parts]
    from_trees = table.held_out(forests)
    candidates = [Candidate(None, 0.0, from_trees, table.losses(from_trees))]
    for other in others():
        from_other = table.held_out([table.beside(p, other) for p in table.course.parts])
        for share in SHARES:
            margin = share * from_other + (1.0 - share) * from_trees
            candidates.append(Candidate(other, share, margin, table.losses(margin)))
    best = best_of(candidates)
    X, weight = table.X[whole.rows], whole.weight * table.extra[whole.rows]
    if table.timed:
        forests = [table.forest(X, whole.y, weight, settings, found.rounds, k) for k in range(SEEDS)]
    models, weights = [*forests], [(1.0 - best.share) / len(forests)] * len(forests)
    if best.other is not None:
        models.append(best.other.fit(X, whole.y, weight, table.encoder, table.ordered))
        weights.append(best.share)
    calibrated = _levelled(table, whole, best, settings, found.rounds, features, decided)
    for shift in shifts(calibrated, table.encoder):
        models.append(shift)
        weights.append(1.0)
    if decided.by_day and moment is not None:
        models.append(_aging(table, still_to_come(decided, whole, moment), calibrated))
        weights.append(1.0)
    return Likelihood(
        table.encoder,
        combined(models, weights),
        calibrated,
        found,
        replace(
            found,
            params={**found.params, **best.told()},
            value=best.loss,
            trials=with_trials(found.trials, candidates),
        ),
        whole,
    )


def _aging(table: _Table, left: Floats, calibrated: Calibrated) -> Booster:
    """Return what days without a win take from the likelihood of the rest.

    If p is the probability at the contact and L the share of wins still to come, the odds of an open lead are
    p L / (1 - p): its log-odds are lower by -ln L. No lead that trains is older than its contact.
    """
    slope = calibrated.map.slope if isinstance(calibrated.map, Platt) else 1.0
    names = table.encoder.names
    between: Floats = np.arange(len(left) - 1, dtype=np.float64) + 0.5
    worth: Floats = np.log(left) / slope
    return additive(0.0, [Steps(names.index(AGE), between, worth, 0.0)], names)


def _levelled(
    table: _Table, whole: Lesson, best: Candidate, settings: Mapping[str, Any], rounds: int,
    features: FeatureSet, decided: Decisions,
) -> Calibrated:  # fmt: skip
    """Calibrate: the slope by later leads, the level by leads of all times, each held out from its model.

    Models of earlier times stood at another level, for reasons that are over; how much of a difference in
    margins came true later is what they can tell.
    """
    if not table.timed or table.config.models.calibration != "platt":
        return table.calibrated(best.margin, None, features, decided)
    y, weight, _, block = table.judged()
    slope, _ = calibration.shared_slope(best.margin, y, weight, block)
    between = replace(table, course=table.in_between(whole, features))
    parts = [between.part(p) for p in between.course.parts]
    margin = np.zeros(len(whole.rows))
    if best.share < 1:
        margin += (1.0 - best.share) * between.held_out([table.forest(*p, settings, rounds) for p in parts])
    if best.other is not None:
        fitted = [between.beside(p, best.other) for p in between.course.parts]
        margin += best.share * between.held_out(fitted)
    return between.calibrated(margin, slope, features, decided)


def lots(features: FeatureSet, seed: int) -> Floats:
    """Return a number in [0, 1) for each lead, the same whenever it is asked for."""
    return group_uniform(features.table["account_id"].to_pylist(), seed, "open leads")


def _enough(whole: Lesson) -> None:
    won, others = whole.converted, float(whole.weight.sum()) - whole.converted
    if min(won, others) < MIN_EACH:
        raise NotEnoughDataError(
            f"The training side holds {won:.0f} wins and {others:.0f} leads that were not won; at least "
            f"{MIN_EACH:.0f} of each are needed.",
            where="[leads]",
            why="A likelihood learned from a handful of cases is a guess.",
            fix="Wait for more decided leads, or let test_from begin later.",
        )
