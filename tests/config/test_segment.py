"""Segments go with Platt's map and trees that learn once; the category is named when features are known."""

import pytest
from tests.config.test_config import GOOD

from hva_ml.config import parse
from hva_ml.errors import ConfigError


def test_a_segment_is_read_and_none_is_the_default() -> None:
    assert parse(GOOD, "my.toml").models.segment == ""
    assert parse(GOOD + '\n[models]\nsegment = "a.b"\n', "my.toml").models.segment == "a.b"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('calibration = "beta"', 'need calibration = "platt", not "beta"'),
        ('calibration = "auto"', 'need calibration = "platt", not "auto"'),
        ('refit = "both"', "exclude each other"),
    ],
)
def test_what_does_not_go_with_segments_is_refused(line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(GOOD + f'\n[models]\nsegment = "a.b"\n{line}\n', "my.toml")
