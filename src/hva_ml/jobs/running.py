"""Cohorts whose horizon still runs on the day of a training: what they have brought moves the level.

It logs and stores nothing.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.optimize import brentq
from scipy.special import expit

from hva_ml import calibration, splits
from hva_ml.calibration import COHORT_SD
from hva_ml.config import PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, Calendar, microseconds
from hva_ml.explanation.composition import log_value, margins
from hva_ml.features.definition import FeatureSet
from hva_ml.features.outlook import SEEN
from hva_ml.jobs.features import build_features
from hva_ml.jobs.fitting import Pair
from hva_ml.jobs.likelihood import moments
from hva_ml.jobs.prepare import Prepared, begun, last_instant
from hva_ml.jobs.valuation import SEASONED_SD
from hva_ml.labels.flows import Flows, flows
from hva_ml.workspace import Workspace

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
FURTHEST = 3.0
"""A nowcast moves log-odds no further, whatever has come."""


@dataclass(frozen=True, eq=False)
class Running:
    """What was known, on the day of a training, of cohorts that were over and of those that still ran.

    Attributes
    ----------
    day : int
        Microseconds since the epoch.
    features : FeatureSet
        Rows of the cohorts that still ran.
    over, now : Flows
        What had come of all rows of cohorts that were over, and of `features`.
    """

    day: int
    features: FeatureSet
    over: Flows
    now: Flows

    def days(self) -> list[int]:
        """Return how many days each running cohort is old, as the columns of the flows count them."""
        last = self.over.converted.shape[1] - 1
        return [min(int(a), last) for a in _age(self.now.cutoffs, self.day)]

    def fingerprint(self) -> str:
        """Return a hash of all of it."""
        counted = [a for f in (self.over, self.now) for a in (f.cutoffs, f.converted, f.cents)]
        text = self.features.fingerprint().encode() + b"".join(a.tobytes() for a in counted)
        return hashlib.sha256(text + str(self.day).encode()).hexdigest()


def running(
    tables: ContractTables, config: PipelineConfig, day: int, features: FeatureSet, calendar: Calendar
) -> Running | None:
    """Look up what had come by a day; None where nobody asks, or there is too little to tell anything.

    A cohort counts if it had run for 28 days and its outcomes were not yet known; with an outlook only if
    that had seen all of its days, for others miss by the season of the rest. At least three must be over.

    Parameters
    ----------
    tables : ContractTables
        They may know more than the day did: what became known later is not looked at.
    config : PipelineConfig
    day : int
        Microseconds since the epoch.
    features : FeatureSet
        Rows at the cutoffs of `calendar`, those after the day are left out. Of cohorts that still run only
        parents that may calibrate are looked at: the trees have not seen them.
    calendar : Calendar
        The cutoffs of `features`.
    """
    if not config.models.nowcast or not calendar.days:
        return None
    age, wait = _age(calendar.micros, day), config.wait_days
    over = calendar.only(tuple(d for d, a in zip(calendar.days, age, strict=True) if a >= wait))
    begun = calendar.micros[(age >= config.horizon.gap_days + calibration.LEAST_DAYS) & (age < wait)]
    at = moments(features)
    here = np.isin(at, begun) & splits.calibrating(features.index, config.split, config.models.seed)
    if config.features.outlook:
        here &= np.asarray(features.table[SEEN].to_numpy(zero_copy_only=False), dtype=np.float64) >= 1.0
    if not here.any() or len(over.days) < calibration.LEAST_COHORTS:
        return None
    then = tables.upto(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=day))
    now, past = features.take(here), features.take(np.isin(at, over.micros))
    found = np.unique(at[here])
    still = tuple(d for d, m in zip(calendar.days, calendar.micros, strict=True) if m in found)
    return Running(
        day, now, flows(then, past.index, config, over), flows(then, now.index, config, calendar.only(still))
    )


def latest(
    ws: Workspace, config: PipelineConfig, prepared: Prepared, calendar: Calendar, features: FeatureSet
) -> Running | None:
    """Return what is known when the data end; the features of cohorts that still run are made for it.

    Parameters
    ----------
    calendar, features
        Of the cohorts that are over.
    """
    tables, end = prepared.tables, last_instant(config, prepared.tables)
    still = begun(config, tables)
    old = _age(still.micros, microseconds(end)) >= config.horizon.gap_days + calibration.LEAST_DAYS
    still = still.only(tuple(d for d, o in zip(still.days, old, strict=True) if o))
    if not config.models.nowcast or not still.days:
        return None
    more = build_features(ws, config, tables, still, prepared.own)
    both = FeatureSet(pa.concat_tables([features.table, more.table]), features.definitions)
    return running(tables, config, microseconds(end), both, calendar.only((*calendar.days, *still.days)))


def followed(pair: Pair, seen: Running | None) -> Pair:
    """Return the pair with the level of likelihood and of value moved for what running cohorts have shown.

    First their conversions move all log-odds alike, then what is left of their amounts all values; order and
    reasons stay as they were. See `hva_ml.calibration.nowcast`.
    """
    if seen is None:
        return pair
    margin, worth = margins(pair, pair.encoder.transform(seen.features))
    cohort = np.searchsorted(seen.now.cutoffs, moments(seen.features))
    days, many = seen.days(), len(seen.now.cutoffs)

    def came(flow: Floats) -> list[float]:
        return [float(flow[k, d]) for k, d in enumerate(days)]

    probability = pair.calibrator.probability(margin)
    # A standard deviation of log-odds is one of the log of a rate times the share that does not convert.
    sd = COHORT_SD * (1.0 - float(probability.mean()))
    likely = calibration.nowcast(
        seen.over.converted.astype(np.float64), came(seen.now.converted.astype(np.float64)), days,
        _sums(probability, cohort, many), swing_sd=sd, prior_sd=sd,
    )  # fmt: skip
    by = _odds(pair.calibrator.logit(margin), likely.moved)
    moved = replace(pair.calibrated, map=pair.calibrator.shifted(by), nowcast=likely)
    pair = replace(pair, calibrated=moved)
    expected = pair.calibrator.probability(margin) * np.exp(log_value(pair, margin, worth))
    valued = calibration.nowcast(
        seen.over.cents / 100.0, came(seen.now.cents / 100.0), days,
        _sums(expected, cohort, many), swing_sd=COHORT_SD if pair.outlook is None else SEASONED_SD,
    )  # fmt: skip
    level = pair.worth.log_scale + valued.moved
    return replace(pair, worth=replace(pair.worth, log_scale=level, nowcast=valued))


def told_of_nowcast(pair: Pair) -> dict[str, Any] | None:
    """Return what running cohorts have moved, JSON-ready; None where nobody asked, or none could tell."""
    likelihood, value = pair.calibrated.nowcast, pair.worth.nowcast
    if likelihood is None or value is None:
        return None
    return {"likelihood": likelihood.record(), "value": value.record()}


def _odds(logit: Floats, log_rate: float) -> float:
    """Return the log-odds that change the mean probability by that factor, log scale."""
    logit = np.sort(logit)
    wanted = float(expit(logit).mean()) * float(np.exp(log_rate))

    def more(by: float) -> float:
        return float(expit(logit + by).mean()) - wanted

    if more(-FURTHEST) >= 0 or more(FURTHEST) <= 0:
        return float(np.sign(log_rate)) * FURTHEST
    return float(brentq(more, -FURTHEST, FURTHEST))


def _sums(values: Floats, cohort: Ints, many: int) -> list[float]:
    """Return the total of each cohort; sorted, so that it does not hang on the order of rows."""
    order = np.lexsort((values, cohort))
    return [float(v) for v in np.bincount(cohort[order], values[order], many)]


def _age(cutoffs: Ints, day: int) -> Ints:
    """Return the days since each cutoff."""
    # Local midnights may lie an hour more or less than whole days apart.
    return np.floor((day - cutoffs) / MICROSECONDS_PER_DAY + 0.1).astype(np.int64)
