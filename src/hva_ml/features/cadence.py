"""Recency, frequency, monetary value and cadence of the value table: always there, baselines need them."""

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.features.definition import FeatureDefinition, Unit
from hva_ml.features.log import Ints
from hva_ml.features.lookback import ALL, Window
from hva_ml.features.series import series
from hva_ml.features.universe import Feature, Floats, Rows, Universe
from hva_ml.features.wording import chosen

_WORDS: tuple[tuple[str, Unit, int | None, str, str], ...] = (
    ("recency_days", "days", None, "Tage seit dem letzten Kauf", "days since the last purchase"),
    ("count_365d", "count", 365, "Käufe", "purchases"),
    ("amount_365d", "money", 365, "Umsatz", "revenue"),
    ("amount_90d", "money", 90, "Umsatz", "revenue"),
    ("tenure_days", "days", None, "Dauer der Kundenbeziehung", "length of the customer relationship"),
    ("mean_gap_days", "days", None, "üblicher Abstand zwischen Käufen", "usual gap between purchases"),
    ("return_share_365d", "share", 365, "Anteil der Gutschriften", "share of credit notes"),
)


def features(universe: Universe, rows: Rows, config: PipelineConfig) -> list[Feature]:
    """Return the seven cadence features of the value table; for deals only rows of stage 'won' count.

    - ``recency_days``, ``tenure_days``: since the last and the first visible row with a positive amount.
    - ``count_365d``: such rows; ``amount_365d``, ``amount_90d``: net amounts, credit notes included.
    - ``mean_gap_days``: days from the first to the last day (UTC) with a purchase, divided by the number of
      such days less one; null with fewer than two.
    - ``return_share_365d``: credited amount over invoiced amount, at most 1; null if nothing was invoiced.
    """
    name = config.target.value_table
    paid = series(universe, name)
    if name == "deal_stages":
        paid = paid.among("stage", ("won",))
    cents = paid.log.take(paid.table.integers("amount_cents")[0])
    paid = paid.split((cents <= 0).astype(np.int32), 2)
    counts, sums = paid.totals(paid.begins(Window(365), Window(90)), cents[None, :])
    credited, invoiced = -rows.pick(sums[0, 1, 0]), rows.pick(sums[0, 0, 0])
    first, last = (grid[0] for grid in paid.first_and_last())
    active = paid.active_days(paid.begins(ALL))[0, 0]
    cutoffs = universe.cutoffs
    values = {
        "recency_days": rows.days_since(last, cutoffs),
        "count_365d": rows.pick(counts[0, 0]).astype(np.float64),
        "amount_365d": (invoiced - credited) / 100.0,
        "amount_90d": rows.pick(sums[0, :, 1].sum(axis=0)) / 100.0,
        "tenure_days": rows.days_since(first, cutoffs),
        "mean_gap_days": _mean_gap(rows, first, last, active),
        "return_share_365d": np.where(
            invoiced > 0, np.minimum(credited / np.maximum(invoiced, 1), 1.0), np.nan
        ),
    }
    return [
        Feature(_definition(config, key, unit, days, de, en), values[key])
        for key, unit, days, de, en in _WORDS
    ]


def _mean_gap(rows: Rows, first: Ints, last: Ints, active: Ints) -> Floats:
    days = rows.pick(active)
    some = days >= 2
    begin = np.where(some, rows.pick(first), 0) // MICROSECONDS_PER_DAY
    end = np.where(some, rows.pick(last), 0) // MICROSECONDS_PER_DAY
    return np.where(some, (end - begin) / np.maximum(days - 1, 1), np.nan)


def _definition(
    config: PipelineConfig, key: str, unit: Unit, days: int | None, de: str, en: str
) -> FeatureDefinition:
    name = f"cadence.{key}"
    measure = key.removesuffix("_days").removesuffix("_365d").removesuffix("_90d")
    topic = f"cadence.{measure}"
    label = chosen(config.features.labels, (name, topic), de, en)
    table = config.target.value_table
    if measure == "amount":
        # The same thing as a declared sum over the value table: one topic, so that it is one reason.
        topic = f"{table}.amount.sum"
    return FeatureDefinition(name, "deal_history", "number", table, measure, unit, *label, days, topic)
