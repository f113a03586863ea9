"""Which way the likelihood may go when a feature rises: what the trade knows, or the pipeline file says."""

from collections.abc import Mapping, Sequence
from typing import Literal

from hva_ml.errors import ConfigError, nearest
from hva_ml.features.definition import FeatureDefinition

Direction = Literal["rising", "falling"]

_MORE_IS_MORE = {
    "count",
    "active_days",
    "distinct",
    "sum",
    "amount",
    "open_count",
    "open_amount",
    "won_count",
    "due_amount",
}
_MORE_IS_LESS = {
    "recency",
    "days_since_won",
    "slip_count",
    "slipped_days",
    "slipped_days_most",
    "overdue_count",
    "overdue_amount",
    "overdue_days",
}
_SIGN = {"rising": 1, "falling": -1}


def hint(definition: FeatureDefinition) -> int:
    """Return +1 if more of a feature should never mean less likely, -1 for the reverse, 0 if nobody knows.

    More visits, orders, open deals or likeness to past winners: +1. Longer ago, postponed or overdue: -1.
    Companies' attributes, ratios, trends, means, the calendar and what is open in one stage (which is not
    open in another): 0.

    Examples
    --------
    >>> from hva_ml.features.definition import FeatureDefinition
    >>> hint(FeatureDefinition("events.recency_days", "engagement", "number", "events", "recency", "days",
    ...                        "Tage", "days"))
    -1
    """
    d = definition
    if d.kind != "number" or d.family not in ("engagement", "deal_history", "fit"):
        return 0
    if d.family == "fit":
        return int(d.unit == "score")
    if d.measure == "sum" and d.unit != "money":
        return 0
    return int(d.measure in _MORE_IS_MORE) - int(d.measure in _MORE_IS_LESS)


def directions(
    definitions: Sequence[FeatureDefinition], asked: Literal["off", "hints"] | Mapping[str, Direction]
) -> tuple[int, ...]:
    """Return +1, -1 or 0 for each feature, as ``[models] monotone`` asks for it.

    Parameters
    ----------
    definitions : sequence of FeatureDefinition
        In the order of the matrix.
    asked : "off", "hints" or mapping of feature name to "rising" or "falling"
        A mapping speaks of the features it names, and of no other.

    Raises
    ------
    ConfigError
        If a name is no feature, or a category: its codes have no order.
    """
    if asked == "off":
        return (0,) * len(definitions)
    if asked == "hints":
        return tuple(hint(d) for d in definitions)
    numbers = [d.name for d in definitions if d.kind == "number"]
    for name in asked:
        if name not in numbers:
            category = any(d.name == name for d in definitions)
            raise ConfigError(
                f"'{name[:60]}' is a category, whose values have no order."
                if category
                else f"There is no feature '{name[:60]}'.{nearest(name, numbers)}",
                where="[models] monotone",
                fix="Name features of kind number; docs/data-dictionary.md tells how features are named.",
            )
    return tuple(_SIGN.get(asked.get(d.name, ""), 0) for d in definitions)
