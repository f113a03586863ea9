"""Leads judged: by the latest ones where time is known, else in turn, several times. It stores nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from hva_ml.calibration import Calibrated
from hva_ml.config import UNDATED, PipelineConfig
from hva_ml.contracts.decisions import Bools, Decisions, Floats
from hva_ml.cutoffs import Calendar
from hva_ml.errors import NotEnoughDataError
from hva_ml.evaluation.metrics import MODEL, ModelPrediction
from hva_ml.evaluation.table import RESULTS, evaluate, per_cutoff
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Pair, Searched, Targets
from hva_ml.jobs.judged import Judged
from hva_ml.jobs.leads.cohorts import months, named
from hva_ml.jobs.leads.decided import Decided, test_from
from hva_ml.jobs.leads.fitting import Likelihood, fit_likelihood, lots
from hva_ml.jobs.leads.worth import fit_worth
from hva_ml.jobs.likelihood import before_and_after
from hva_ml.jobs.model_checks import checked
from hva_ml.jobs.progress import Progress
from hva_ml.splits import Split
from hva_ml.training.baselines import lead_baselines
from hva_ml.training.courses import dealt
from hva_ml.training.search import SearchResult
from hva_ml.training.waiting import Lesson

_EPOCH = date(1970, 1, 1).toordinal()


def judge(leads: Decided, config: PipelineConfig, storage: str, study: str, progress: Progress) -> Judged:
    """Judge the model of a pipeline of leads beside plain rules, and fit the one that is released."""
    assert config.leads is not None
    if config.leads.clock == "none":
        return _in_turn(leads, config, storage, study, progress)
    return _ahead(leads, config, storage, study, progress)


def _ahead(leads: Decided, config: PipelineConfig, storage: str, study: str, progress: Progress) -> Judged:
    """Judge on the latest leads, each by a model made of what was known on or before its contact.

    One model is made when the first of them is contacted; with ``refit_every`` further ones, of the same
    settings of trees, as one would who trains so often. Where a later one finds too little to learn from, the
    one before stays in use.
    """
    moment = test_from(leads.told, config)
    earlier = leads.told.position < moment
    progress.stage(f"Searching settings on {int(earlier.sum())} leads, {config.search.trials} trials")
    test = leads.take(~earlier)
    rounds = _rounds(leads.told, moment, config)
    fits: list[tuple[Decided, _Fit]] = []
    whole: dict[str, ModelPrediction] = {}
    margins: list[tuple[Calibrated, Floats]] = []
    for k, (start, rows) in enumerate(rounds):
        then = leads.take(leads.told.position < start)
        trees = fits[0][1].trees if fits else None
        try:
            fits.append((then, _fitted(then, start, config, storage, f"{study}-then", progress, trees)))
        except NotEnoughDataError:
            if not fits:
                raise
            progress.stage(f"Model {k + 1} of {len(rounds)} finds too little to learn: the one before stays")
        then, fit = fits[-1]
        if k == 0:
            progress.stage(f"Judging model and baselines on the {int((~earlier).sum())} latest leads")
        few = leads.features.take(rows)
        for name, told in _side_by_side(fit.pair, _as_known(then, fit.learned, config), few, config).items():
            _put(whole, name, told, rows)
        margins.append((fit.pair.calibrated, fit.pair.conversion.margin(fit.pair.encoder.transform(few))))
        if len(rounds) > 1:
            progress.step(k + 1, len(rounds), "models, each made of what was known then")
    predictions = {name: told.take(~earlier) for name, told in whole.items()}
    groups = np.asarray(test.features.table["group_id"].to_pylist(), dtype=object)
    metrics = evaluate(
        predictions, test.targets.converted, test.targets.value, groups, resamples=config.split.bootstrap,
        seed=config.models.seed, capacity=config.scoring.capacity,
    )  # fmt: skip
    progress.stage("Fitting the same procedure on all decided leads")
    end = int(leads.told.position.max()) + leads.told.span + 2
    last = _fitted(leads, end, config, storage, f"{study}-last", progress)
    days = _days(leads.told, config)
    nobody = np.zeros(len(earlier), dtype=np.bool_)
    split = Split(earlier, nobody, ~earlier, _span(days, earlier), (), _span(days, ~earlier), 0)
    totals = _totals(predictions, test, config)
    outcomes = np.concatenate([leads.targets.converted[rows] for _, rows in rounds])
    steps = before_and_after(margins, outcomes)
    return _judged(leads, split, fits[0][1], last, predictions, metrics, totals, steps, config)


def _rounds(told: Decisions, first: int, config: PipelineConfig) -> list[tuple[int, Bools]]:
    """Return when models are made that are judged, and which leads each of them judges."""
    assert config.leads is not None
    every = config.leads.refit_every or int(told.position.max()) + 1
    starts = range(first, int(told.position.max()) + 1, every)
    found = [(s, (told.position >= s) & (told.position < s + every)) for s in starts]
    return [(s, rows) for s, rows in found if rows.any()]


def _in_turn(leads: Decided, config: PipelineConfig, storage: str, study: str, progress: Progress) -> Judged:
    """Judge each lead by a model that has seen neither it nor its like, several times over."""
    assert config.leads is not None
    folds, repeats, n = config.leads.folds, config.leads.repeats, len(leads.told.position)
    progress.stage(f"Judging model and baselines in {repeats} times {folds} folds")
    names = leads.features.table["group_id"].to_pylist()
    groups = np.asarray(names, dtype=object)
    tables: list[pa.Table] = []
    first: dict[str, ModelPrediction] = {}
    margin = np.empty(n)
    for repeat, fold_of in enumerate(dealt(leads.told, names, folds, repeats, config.models.seed)):
        whole: dict[str, ModelPrediction] = {}
        for k in range(folds):
            judge_ = fold_of == k
            then = leads.take(~judge_)
            fitted = _fitted(then, None, config, None, "fold", None)
            few = leads.features.take(judge_)
            for name, told in _side_by_side(fitted.pair, then, few, config).items():
                _put(whole, name, told, judge_)
            if repeat == 0:
                margin[judge_] = fitted.pair.conversion.margin(fitted.pair.encoder.transform(few))
            progress.step(repeat * folds + k + 1, repeats * folds, "folds")
        tables.append(
            evaluate(
                whole, leads.targets.converted, leads.targets.value, groups,
                resamples=config.split.bootstrap, seed=config.models.seed, capacity=config.scoring.capacity,
            )
        )  # fmt: skip
        first = first or whole
    progress.stage(f"Fitting the same procedure on all {n} decided leads")
    last = _fitted(leads, None, config, storage, f"{study}-last", progress)
    everybody, nobody = np.ones(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    split = Split(everybody, nobody, everybody, (), (), (), 0)
    totals = per_cutoff({}, [], [], pa.array([], pa.date32()))
    steps = before_and_after([(last.pair.calibrated, margin)], leads.targets.converted)
    return _judged(leads, split, None, last, first, averaged(tables), totals, steps, config)


@dataclass(frozen=True, eq=False)
class _Fit:
    pair: Pair
    searched: Searched
    learned: Lesson
    trees: SearchResult


def _fitted(
    leads: Decided, moment: int | None, config: PipelineConfig, storage: str | None, study: str,
    progress: Progress | None, trees: SearchResult | None = None,
) -> _Fit:  # fmt: skip
    def told(done: int, total: int, best: float) -> None:
        if progress is not None:
            progress.step(done, total, f"best {best:.4f}")

    likelihood: Likelihood = fit_likelihood(
        leads.features,
        leads.told,
        moment,
        config,
        storage=storage,
        study=study,
        progress=told,
        trees=trees,
    )
    known = leads.take(leads.told.known(moment)) if moment is not None else leads
    order = None if moment is None else known.told.position
    worth, valued, spread = fit_worth(likelihood.encoder, known.features, known.targets, config, order)
    pair = Pair(likelihood.encoder, likelihood.booster, likelihood.calibrated, worth, None, spread)
    return _Fit(pair, Searched(likelihood.found, valued), likelihood.learned, likelihood.trees)


def _as_known(then: Decided, learned: Lesson, config: PipelineConfig) -> Decided:
    """Return each lead once, as the model knew it: those still open are won or lost by lot."""
    rows = learned.drawn(lots(then.features, config.models.seed))
    order = np.argsort(learned.rows[rows], kind="stable")
    places, y = learned.rows[rows][order], learned.y[rows][order]
    sure = learned.weight[rows][order] >= 1.0
    values = then.targets.value[places]
    known = values[sure & (y == 1)]
    guess = float(known.mean()) if len(known) else 0.0
    mask = np.zeros(len(then.told.position), dtype=np.bool_)
    mask[places] = True
    some = Targets(
        y.astype(np.int8), np.where(y == 1, np.where(sure, values, guess), 0.0), np.full(len(y), np.nan)
    )
    return Decided(then.features.take(mask), some, then.told.take(mask))


def _side_by_side(
    pair: Pair, known: Decided, test: FeatureSet, config: PipelineConfig
) -> dict[str, ModelPrediction]:
    found = {MODEL: pair.told(test)}
    for baseline in lead_baselines(config.models.seed):
        baseline.fit(known.features, known.targets.converted, known.targets.value, config.horizon.days)
        guess = baseline.predict(test)
        found[baseline.name] = ModelPrediction(
            guess.probability, guess.value_if_converted, guess.expected_value
        )
    return found


def _put(whole: dict[str, ModelPrediction], name: str, told: ModelPrediction, rows: Bools) -> None:
    """Write what is said of some leads to its place; bounds stay only if every part has them."""
    if name not in whole:
        empty = np.empty((5, len(rows)))
        bounds = None if told.value_bounds is None else (empty[3], empty[4])
        whole[name] = ModelPrediction(empty[0], empty[1], empty[2], bounds)
    into = whole[name]
    into.probability[rows] = told.probability
    into.value_if_converted[rows] = told.value_if_converted
    into.expected_value[rows] = told.expected_value
    if into.value_bounds is None or told.value_bounds is None:
        whole[name] = replace(into, value_bounds=None)
        return
    for side, bound in zip(into.value_bounds, told.value_bounds, strict=True):
        side[rows] = bound


def averaged(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the mean of results tables of several repeats.

    The interval is the mean of the intervals, which say what other leads would have given, widened to hold
    the values of all repeats, which say what other folds did give.
    """
    columns = {
        n: np.array([t[n].to_pylist() for t in tables], dtype=np.float64) for n in ("value", "low", "high")
    }
    value = columns["value"].mean(axis=0)
    low = np.minimum(columns["low"].mean(axis=0), columns["value"].min(axis=0))
    high = np.maximum(columns["high"].mean(axis=0), columns["value"].max(axis=0))
    table = tables[0]
    for name, found in (("value", value), ("low", low), ("high", high)):
        nullable = pa.array(found, from_pandas=True)
        table = table.set_column(table.schema.get_field_index(name), name, nullable)
    return table.cast(RESULTS)


def _judged(
    leads: Decided, split: Split, judged: _Fit | None, last: _Fit, predictions: dict[str, ModelPrediction],
    metrics: pa.Table, totals: pa.Table, steps: list[dict[str, Any]], config: PipelineConfig,
) -> Judged:  # fmt: skip
    everybody, nobody = np.ones(len(split.train), dtype=np.bool_), np.zeros(len(split.train), dtype=np.bool_)
    days = _days(leads.told, config)
    released = Split(everybody, nobody, nobody, _span(days, everybody), (), (), 0)
    fit = judged or last
    told = last.pair.calibrated.record(named(leads.told, config))
    if config.leads is not None and config.leads.clock != "days":
        told["cohorts"] = []
    alike = _at_once(leads.features)
    found = checked(
        config, Calendar((UNDATED,), 1, 0, "UTC"), alike, leads.targets, split, fit.searched, fit.pair,
        predictions, metrics,
    )  # fmt: skip
    return Judged(
        split, released, last.searched, predictions, metrics, totals, last.pair, found,
        {**told, "steps": steps},
    )  # fmt: skip


def _at_once(features: FeatureSet) -> FeatureSet:
    """Return the rows as if of one cutoff: tiers of leads are cut among all of them."""
    table = features.table
    moment = pa.array([table["cutoff"][0].as_py()] * table.num_rows, table["cutoff"].type)
    place = table.schema.get_field_index("cutoff")
    return FeatureSet(table.set_column(place, "cutoff", moment), features.definitions)


def _days(told: Decisions, config: PipelineConfig) -> list[date]:
    if config.leads is None or config.leads.clock != "days":
        return []
    return [date.fromordinal(int(d) + _EPOCH) for d in told.position.tolist()]


def _span(days: list[date], rows: Bools) -> tuple[date, ...]:
    """Return the first and the last day of some leads; nothing where days are not known."""
    mine = [days[k] for k in np.flatnonzero(rows)] if days else []
    return tuple(sorted({min(mine), max(mine)})) if mine else ()


def _totals(predictions: dict[str, ModelPrediction], test: Decided, config: PipelineConfig) -> pa.Table:
    """Return promised and actual totals of each month of contact; nothing where days are not known."""
    if config.leads is None or config.leads.clock != "days":
        return per_cutoff({}, [], [], pa.array([], pa.date32()))
    cohorts = pa.array(months(test.told, config), pa.date32())
    return per_cutoff(predictions, test.targets.converted, test.targets.value, cohorts)
