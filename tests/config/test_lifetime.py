"""Lifetime horizons go on from the horizon of the pipeline."""

import pytest
from tests.config.test_config import GOOD

from hva_ml.config import parse
from hva_ml.errors import ConfigError


def test_horizons_are_read() -> None:
    assert parse(GOOD, "my.toml").lifetime.days == ()
    found = parse(GOOD + "\n[lifetime]\ndays = [90, 180]\ndiscount_per_year = 0.08\n", "my.toml").lifetime
    assert (found.days, found.discount_per_year) == ((90, 180), 0.08)


@pytest.mark.parametrize(
    ("days", "message"),
    [("[180, 90]", "must rise"), ("[30, 180]", "go on from the horizon of 90"), ("[90]", "go on from")],
)
def test_other_horizons_are_refused(days: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(GOOD + f"\n[lifetime]\ndays = {days}\n", "my.toml")
