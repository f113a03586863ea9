"""Recency, frequency, monetary value and cadence of the value table: always there, baselines need them."""

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.cutoffs import MICROSECONDS_PER_DAY
from hva_ml.features.definition import FeatureDefinition, Unit
from hva_ml.features.series import series
from hva_ml.features.universe import Feature, Floats, Rows, Universe
from hva_ml.features.windows import Ints
from hva_ml.features.wording import chosen

_WHOLE_PAST_DAYS = 100_000

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
    rows_of = series(universe, name)
    if name == "deal_stages":
        rows_of = rows_of.only(rows_of.table.codes("stage").among(("won",))[rows_of.rows])
    amount = rows_of.table.integers("amount_cents")[0]
    cents = amount[rows_of.rows]
    bought = rows_of.only(cents > 0)
    cutoffs = universe.cutoffs
    invoiced = rows.pick(rows_of.total(365, np.maximum(cents, 0)))
    credited = rows.pick(rows_of.total(365, np.maximum(-cents, 0)))
    values = {
        "recency_days": rows.days_since(bought.last(), cutoffs),
        "count_365d": rows.pick(bought.count(365)).astype(np.float64),
        "amount_365d": (invoiced - credited) / 100.0,
        "amount_90d": rows.pick(rows_of.total(90, cents)) / 100.0,
        "tenure_days": rows.days_since(bought.first(), cutoffs),
        "mean_gap_days": _mean_gap(rows, bought.first(), bought.last(), bought.days_active(_WHOLE_PAST_DAYS)),
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
