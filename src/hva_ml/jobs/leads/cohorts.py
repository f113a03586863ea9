"""Leads gathered by the month of their contact, for reports and for the level of probabilities."""

from datetime import date

import numpy as np
import numpy.typing as npt

from hva_ml.config import UNDATED, PipelineConfig
from hva_ml.contracts.decisions import Decisions
from hva_ml.cutoffs import MICROSECONDS_PER_DAY, instant, microseconds

BLOCKS = 10
BLOCK_DAYS = 30
MONTH_DAYS = 31
_EPOCH = date(1970, 1, 1).toordinal()


def months(told: Decisions, config: PipelineConfig) -> list[date]:
    """Return the first day of the month in which each lead was contacted; one and the same without days."""
    if config.leads is None or config.leads.clock != "days":
        return [UNDATED] * len(told.position)
    days, place = np.unique(told.position, return_inverse=True)
    first = [date.fromordinal(int(d) + _EPOCH).replace(day=1) for d in days]
    return [first[k] for k in place.tolist()]


def cohorts_of(told: Decisions, config: PipelineConfig) -> tuple[npt.NDArray[np.int64], float]:
    """Return the cohort of each lead as microseconds since the epoch, and the days until one is decided.

    Leads of which only the order is known are gathered in ten blocks, as if a month apart.
    """
    assert config.leads is not None
    if config.leads.clock == "days":
        zone = config.pipeline.timezone
        named = months(told, config)
        moments = {day: microseconds(instant(day, zone)) for day in set(named)}
        return np.array([moments[m] for m in named], dtype=np.int64), float(told.span + 1)
    order = np.argsort(np.argsort(told.position, kind="stable"), kind="stable")
    block = order * BLOCKS // max(len(order), 1) if config.leads.clock == "order" else np.zeros_like(order)
    return block.astype(np.int64) * BLOCK_DAYS * MICROSECONDS_PER_DAY, float(BLOCK_DAYS)


def named(told: Decisions, config: PipelineConfig) -> dict[int, date]:
    """Return the day by which each cohort is called."""
    cohorts, _ = cohorts_of(told, config)
    return dict(zip(cohorts.tolist(), months(told, config), strict=True))
