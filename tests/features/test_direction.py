"""A direction is what the trade knows of a measure, or what the pipeline file says of a feature."""

import pytest

from hva_ml.errors import ConfigError
from hva_ml.features.definition import FeatureDefinition
from hva_ml.features.direction import directions, hint


def definition(name: str, family: str, measure: str, unit: str, kind: str = "number") -> FeatureDefinition:
    return FeatureDefinition(name, family, kind, "t", measure, unit, "x", "x")  # type: ignore[arg-type]


KNOWN = {
    ("engagement", "count", "count"): 1,
    ("engagement", "active_days", "count"): 1,
    ("engagement", "distinct", "count"): 1,
    ("engagement", "recency", "days"): -1,
    ("engagement", "trend", "ratio"): 0,
    ("engagement", "surge", "ratio"): 0,
    ("deal_history", "sum", "money"): 1,
    ("deal_history", "sum", "number"): 0,
    ("deal_history", "mean", "money"): 0,
    ("deal_history", "open_count", "count"): 1,
    ("deal_history", "lost_count", "count"): 0,
    ("deal_history", "days_since_won", "days"): -1,
    ("deal_history", "slip_count", "count"): -1,
    ("deal_history", "slipped_days_most", "days"): -1,
    ("deal_history", "overdue_amount", "money"): -1,
    ("deal_history", "overdue_days", "days"): -1,
    ("deal_history", "due_amount", "money"): 1,
    ("deal_history", "stage_count", "count"): 0,
    ("deal_history", "stage_amount", "money"): 0,
    ("deal_history", "return_share", "share"): 0,
    ("deal_history", "tenure", "days"): 0,
    ("fit", "log_likelihood_ratio", "score"): 1,
    ("firmographic", "attribute", "heads"): 0,
    ("firmographic", "attribute", "count"): 0,
    ("season", "market_index", "ratio"): 0,
}
NUMBERS = [definition(f"f{k}", *what) for k, what in enumerate(KNOWN)]
CATEGORY = definition("firmographic.country", "firmographic", "attribute", "category", "category")


def test_hints_say_what_the_trade_knows_and_no_more() -> None:
    assert [hint(d) for d in NUMBERS] == list(KNOWN.values())
    assert hint(CATEGORY) == 0
    assert directions(NUMBERS, "hints") == tuple(KNOWN.values())
    assert not any(directions(NUMBERS, "off"))


def test_a_table_speaks_of_the_features_it_names_alone() -> None:
    found = directions([*NUMBERS, CATEGORY], {"f0": "falling", "f4": "rising"})
    assert found == tuple({0: -1, 4: 1}.get(k, 0) for k in range(len(NUMBERS) + 1))


@pytest.mark.parametrize(
    ("name", "says"), [("f00", "There is no feature 'f00'"), (CATEGORY.name, "have no order")]
)
def test_what_has_no_direction_is_refused(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        directions([*NUMBERS, CATEGORY], {name: "rising"})
