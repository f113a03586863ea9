"""A table of leads is declared in one section: what follows is refused beside it, nonsense named."""

from datetime import date

import pytest

from hva_ml.config import NO_CURRENCY, UNDATED, parse
from hva_ml.errors import ConfigError

GOOD = """
[pipeline]
name = "few"
title = "Few"
[sources.few]
kind = "csv"
path = "few.csv"
[leads]
source = "few"
created = "seen"
won = "state"
won_values = ["won"]
[leads.features]
channel = { de = "Kanal", en = "channel" }
"""


def test_everything_else_follows_from_the_section() -> None:
    config = parse(GOOD, "few.toml")
    assert config.leads is not None
    assert (config.leads.clock, config.leads.worth, config.horizon_days) == ("days", False, 0)
    assert config.pipeline.currency == NO_CURRENCY
    assert config.cutoffs.first == UNDATED
    assert set(config.tables) == {"leads"}
    assert config.gates.beat_baselines == ("prevalence",)
    assert config.search.num_leaves[1] <= 15
    within = parse(GOOD.replace("[leads.", 'won_at = "day"\nwon_within_days = 30\n[leads.'), "few.toml")
    assert within.horizon_days == 30


def test_what_is_said_of_search_and_split_stays() -> None:
    config = parse(GOOD + "[search]\nnum_leaves = [4, 9]\n[split]\nbootstrap = 50\n", "few.toml")
    assert (config.search.num_leaves, config.split.bootstrap) == ((4, 9), 50)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[leads]\n", "[horizon]\ndays = 3\n[leads]\n", "[horizon] follows from [leads]"),
        ("[leads]\n", "[split]\nembargo_days = 3\n[leads]\n", "[split.embargo_days] follows"),
        ('source = "few"\n', "", "one source or one query"),
        ('source = "few"\n', 'source = "fwe"\n', "Did you mean 'few'"),
        ('won = "state"\nwon_values = ["won"]\n', "", "Nothing says which leads were won"),
        ('created = "seen"\n', 'created = "seen"\norder = "rows"\n', "a day of contact or an order"),
        ('created = "seen"\n', "refit_every = 5\n", "refit_every needs to know"),
        ('created = "seen"\n', "recent_rate = [30]\n", "need to know what was past"),
        ('created = "seen"\n', "test_from = 2025-01-01\n", "leads have no day of contact"),
        ('created = "seen"\n', 'created = "seen"\nwon_within_days = 5\n', "the day of the win"),
        ('created = "seen"\n', 'created = "seen"\ndeal_value = 5.0\n', "Money has no currency"),
        ('title = "Few"\n', 'title = "Few"\ncurrency = "EUR"\n', "no money"),
        ('created = "seen"\n', 'created = "seen"\nafter_outcome = ["Channel"]\n', "by your own word"),
        ("channel = {", 'name = { kind = "number",', "taken by the contract"),
        ('en = "channel" }', 'en = "channel", kind = "flag", order = ["a"] }', "is no category"),
        ("won_values", "won_value", "Did you mean 'won_values'"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named(old: str, new: str, says: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(old, new, 1), "few.toml")
    assert says in str(caught.value)


def test_a_first_day_is_read_as_such() -> None:
    config = parse(GOOD.replace("[leads.", "first = 2025-03-01\n[leads."), "few.toml")
    assert config.leads is not None
    assert config.leads.first == date(2025, 3, 1)
