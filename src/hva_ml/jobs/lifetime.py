"""Lifetime value: windows after the horizon, learned from cohorts for which they are over, judged later."""

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from hva_ml import calibration, labels, splits
from hva_ml.calibration import KNOWN_BY, Curve, LifetimeValue, LifetimeWindow, lasting
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import Violation
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, Calendar, instant, microseconds
from hva_ml.errors import NotEnoughDataError
from hva_ml.evaluation.lifetime import activity, lifetime_figures
from hva_ml.evaluation.metrics import MODEL
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Pair, Searched, Targets, enough, fit_pair
from hva_ml.jobs.likelihood import moments
from hva_ml.jobs.prepare import Prepared, last_instant
from hva_ml.jobs.running import followed, running
from hva_ml.splits import Split
from hva_ml.training.baselines import RunRate
from hva_ml.training.outcome import numbers

Floats = npt.NDArray[np.float64]
TOO_SHORT = "HVA018"


@dataclass(frozen=True, eq=False)
class Learned:
    """What came of ``[lifetime]``.

    Attributes
    ----------
    model : LifetimeValue or None
        The windows that are released; None where nobody asked, or history allows none.
    told : dict of str to Any
        How every horizon did on later cohorts, JSON-ready; empty where nobody asked.
    findings : tuple of Violation
        Horizons that were refused.
    """

    model: LifetimeValue | None
    told: dict[str, Any]
    findings: tuple[Violation, ...]


@dataclass(frozen=True, eq=False)
class _Window:
    """What became of each row in a window: flags and values count only at the calendar's cutoffs."""

    calendar: Calendar
    converted: npt.NDArray[np.int8]
    value: Floats


@dataclass(frozen=True, eq=False)
class Foretold:
    """What was said of customers at test cutoffs, as one would have then, beside what came.

    Attributes
    ----------
    rows : FeatureSet
        The customers, in the order of cutoffs.
    split : Split
        Sides of the two models' own horizon.
    probability : numpy.ndarray of float64, shape (n_rows,)
        Likelihood of buying within the pipeline's own horizon.
    curve : Curve or None
        Of all windows; None for the pipeline's own horizon.
    predicted : dict of str to numpy.ndarray, shape (n_rows,)
        Undiscounted value over the horizon: ours, ``run_rate`` and ``expected_value_prolonged``.
    actual : numpy.ndarray of float64, shape (n_rows,)
        What came.
    """

    rows: FeatureSet
    split: Split
    probability: Floats
    curve: Curve | None
    predicted: dict[str, Floats]
    actual: Floats


class LifetimeLearner:
    """Learns and judges the windows of one pipeline.

    Parameters
    ----------
    prepared : Prepared
        Where the labels come from.
    calendar : Calendar
        Cutoffs of the features, with the pipeline's own horizon.
    features : FeatureSet
    targets : Targets
        Of the pipeline's own horizon.
    searched : Searched
        Settings of the pipeline's two models; the windows use them, too.
    config : PipelineConfig
    """

    def __init__(
        self, prepared: Prepared, calendar: Calendar, features: FeatureSet, targets: Targets,
        searched: Searched, config: PipelineConfig,
    ) -> None:  # fmt: skip
        self._prepared, self._calendar, self._features = prepared, calendar, features
        self._targets, self._searched = targets, searched
        self._config = replace(config, features=replace(config.features, outlook=False))
        # Maps are learned on customers that taught no tree, so these trees do not learn once more.
        self._pair_config = replace(config, models=replace(config.models, high_value=0.0, refit="off"))
        self._customer = ~np.isnan(numbers(features, KNOWN_BY))
        beyond = tuple(d for d in config.lifetime.days if d > config.horizon.days)
        self.edges = (0, config.horizon.days, *beyond)
        self._seen: dict[tuple[int, int], _Window] = {}

    def learn(self) -> Learned:
        """Judge every horizon on later cohorts, and learn those that could be from all that are over."""
        found: list[dict[str, Any]] = []
        for k in range(2, len(self.edges)):
            try:
                found.append(self._judged(self.edges[: k + 1]))
            except NotEnoughDataError as error:
                return self._released(found, self._refused(self.edges[k:], error))
        return self._released(found, ())

    def _released(self, found: list[dict[str, Any]], findings: tuple[Violation, ...]) -> Learned:
        edges = self.edges[: 2 + len(found)]
        discount = self._config.lifetime.discount_per_year
        told = {
            "horizons": found, "refused": [f.what for f in findings], "discount_per_year": discount,
        }  # fmt: skip
        if not found:
            return Learned(None, told, findings)
        try:
            model, _, _ = self._learned(edges, ())
        except NotEnoughDataError as error:
            return Learned(None, {**told, "horizons": []}, self._refused(self.edges[2:], error))
        return Learned(replace(model, discount_per_year=discount), told, findings)

    def _refused(self, days: tuple[int, ...], error: NotEnoughDataError) -> tuple[Violation, ...]:
        gap, end = self._calendar.gap_days, last_instant(self._config, self._prepared.tables)
        reach = (end.date() - self._calendar.days[0]).days
        needed = 2 * (gap + days[0]) + self._config.split.embargo_days
        return tuple(
            Violation(
                TOO_SHORT, f"[lifetime] {d} days", int(self._customer.sum()), "warning",
                f"A lifetime value over {d} days is not published: {error.what.rstrip('.')}. From the first "
                f"cutoff to the end of the data there are {reach} days; {days[0]} days need about {needed}, "
                "once to learn and once to judge.",
                "Begin [cutoffs] first earlier, or leave this horizon out of [lifetime] days.",
            )
            for d in days
        )  # fmt: skip

    def _window(self, begin: int, end: int) -> _Window:
        if (begin, end) not in self._seen:
            own = self._calendar
            calendar = Calendar(own.days, end - begin, own.gap_days + begin, own.timezone).matured(
                last_instant(self._config, self._prepared.tables)
            )
            n = self._features.table.num_rows
            converted, value = np.zeros(n, dtype=np.int8), np.zeros(n)
            here = np.isin(moments(self._features), calendar.micros) & self._customer
            index = self._features.take(here).index
            if index.num_rows:
                found = Targets.of(labels.build(self._prepared.tables, index, self._config, calendar))
                converted[here], value[here] = found.converted, found.value
            self._seen[begin, end] = _Window(calendar, converted, value)
        return self._seen[begin, end]

    def _split(self, calendar: Calendar, test_days: tuple[date, ...], cutoffs: int) -> Split:
        asked = replace(self._config.split, calibrate_cutoffs=cutoffs)
        return splits.by_accounts(self._features.index, calendar, asked, self._config.models.seed, test_days)

    def _test_days(self, edges: tuple[int, ...]) -> tuple[date, ...]:
        """Return the latest cutoffs of a horizon that leave some to learn from that were over before."""
        days = self.testable(edges[-1])
        if not days:
            raise NotEnoughDataError(
                f"no cohort was over after {edges[-1]} days when a later one began that is over by now",
                where="[lifetime] days",
            )
        return days[-self._config.split.test_cutoffs :]

    def testable(self, horizon_days: int) -> tuple[date, ...]:
        """Return all cutoffs for which a horizon is over, and was over for an earlier one when they began."""
        try:
            days = self._window(self.edges[self.edges.index(horizon_days) - 1], horizon_days).calendar
        except NotEnoughDataError:
            return ()
        return tuple(d for d in days.days if splits.over_by(days, d, self._config.split))

    def _learned(
        self, edges: tuple[int, ...], test_days: tuple[date, ...]
    ) -> tuple[LifetimeValue, Pair, Split]:
        """Learn what is known by the first test day, or by the end of the data."""
        cutoffs = self._config.split.calibrate_cutoffs
        own = self._split(self._calendar, test_days, cutoffs)
        pair = fit_pair(self._features, self._targets, own, self._searched, self._pair_config)
        windows = tuple(self._follows(begin, end, pair, test_days) for begin, end in pairwise(edges[1:]))
        left = tuple(self._follows(begin, edges[-1], pair, test_days).bought for begin in edges[:-2])
        return LifetimeValue(edges[1], windows, left), pair, own

    def _follows(self, begin: int, end: int, pair: Pair, test_days: tuple[date, ...]) -> LifetimeWindow:
        """Learn how a window follows from the horizon, on customers that taught no tree.

        Both are held against what came on the same rows, so that the level of old cohorts cancels out.
        """
        window = self._window(begin, end)
        rows = self._split(window.calendar, test_days, len(self._calendar.days)).calibrate & self._customer
        converted, later = self._targets.converted[rows], window.converted[rows]
        enough(converted, f"calibration (day 0 to {self.edges[1]})")
        enough(later, f"calibration (day {begin} to {end})")
        probability, value = pair.predict(self._features.take(rows))
        margin = logit(probability)
        z = calibration.fit("platt", margin, converted.astype(np.float64)).logit(margin)

        def level(bought: npt.NDArray[np.int8], worth: Floats) -> float:
            who = bought == 1
            return calibration.level(worth[who], value[who], cohort_sd=0.0)

        factor = level(later, window.value[rows]) - level(converted, self._targets.value[rows])
        factor -= self._passing(begin, end, rows)
        return LifetimeWindow(end, calibration.fit("platt", z, later.astype(np.float64)), factor)

    def _passing(self, begin: int, end: int, rows: npt.NDArray[np.bool_]) -> float:
        """Return how much of the difference between a window and the horizon is of the seasons, log scale."""
        moment = moments(self._features)[rows]
        window, own = self._window(begin, end).value[rows], self._targets.value[rows]
        sums = np.array([(window[moment == m].sum(), own[moment == m].sum()) for m in np.unique(moment)])
        total, told = sums.sum(axis=0), sums[(sums > 0).all(axis=1)]
        # More credit notes than purchases: there is no ratio to tell.
        if not len(told) or (total <= 0).any():
            return 0.0
        days = np.log((end - begin) / self.edges[1])
        apart = float(np.ptp(moment)) / (MICROSECONDS_PER_DAY * (self._calendar.gap_days + end))
        believed = lasting(np.log(told[:, 0] / told[:, 1]) - days, 1.0 + apart)
        return (1.0 - believed) * float(np.log(total[0] / total[1]) - days)

    def foretold(self, horizon_days: int, test_days: tuple[date, ...]) -> Foretold:
        """Learn what could be known at the first of some cutoffs, and say it of their customers.

        Parameters
        ----------
        horizon_days : int
            One of `edges`.
        test_days : tuple of datetime.date
            Some of `testable`, increasing.

        Raises
        ------
        NotEnoughDataError
            If too little was known then.
        """
        edges = self.edges[: self.edges.index(horizon_days) + 1]
        own = self._split(self._calendar, test_days, self._config.split.calibrate_cutoffs)
        curve: Curve | None = None
        if len(edges) > 2:
            model, pair, own = self._learned(edges, test_days)
        else:
            pair = fit_pair(self._features, self._targets, own, self._searched, self._pair_config)
        tests = own.test & self._customer
        rows = self._features.take(tests)
        config, day = self._pair_config, instant(test_days[0], self._config.pipeline.timezone)
        seen = running(self._prepared.tables, config, microseconds(day), self._features, self._calendar)
        probability, value = followed(pair, seen).predict(rows)
        expected = probability * value
        actual = self._targets.value[tests]
        if len(edges) > 2:
            curve = model.curve(probability, value)
            actual = actual + sum(self._window(a, b).value[tests] for a, b in pairwise(edges[1:]))
        known = own.train | own.calibrate
        rate = RunRate().fit(
            self._features.take(known), self._targets.converted[known], self._targets.value[known], edges[-1]
        )
        predicted = {
            MODEL: expected if curve is None else curve.value[:, -1],
            "run_rate": rate.predict(rows).expected_value,
            "expected_value_prolonged": expected * edges[-1] / edges[1],
        }
        return Foretold(rows, own, probability, curve, predicted, actual)

    def _judged(self, edges: tuple[int, ...]) -> dict[str, Any]:
        """Learn as one would have at the first test cutoff, and hold it against what came."""
        test_days = self._test_days(edges)
        told = self.foretold(edges[-1], test_days)
        assert told.curve is not None
        curve, actual = told.curve, told.actual
        windows = [self._window(a, b) for a, b in pairwise(edges[1:])]
        tests = told.split.test & self._customer
        figures = lifetime_figures(
            told.predicted, actual, told.rows.table["group_id"].to_pylist(),
            resamples=self._config.split.bootstrap, seed=self._config.models.seed,
        )  # fmt: skip
        came = [self._targets.converted[tests], *(w.converted[tests] for w in windows)]
        left = [self._window(begin, edges[-1]).converted[tests] for begin in edges[:-1]]
        days = splits.over_by(windows[-1].calendar, test_days[0], self._config.split)
        return {
            "horizon_days": edges[-1],
            "rows": int(tests.sum()),
            "test_cutoffs": [d.isoformat() for d in test_days],
            "learned_from": [days[0].isoformat(), days[-1].isoformat()],
            "actual": float(actual.sum()),
            "rules": [f.record() for f in figures],
            "windows": [
                {"from_days": a, "until_days": b, **activity(curve.probability[:, k], came[k])}
                for k, (a, b) in enumerate(pairwise(edges))
            ],
            "survival": [
                {"from_days": begin, **activity(curve.survival[:, k], left[k])}
                for k, begin in enumerate(edges[:-1])
            ],
        }
