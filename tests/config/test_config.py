"""A pipeline file means exactly what it says, or is refused with the nearest thing it could have meant."""

import tomllib
from pathlib import Path

import pytest

from hva_ml.config import load, parse
from hva_ml.errors import ConfigError

GOOD = """
[pipeline]
name = "my"
title = "Mine"
currency = "EUR"
timezone = "Europe/Vienna"
[sources.orders]
kind = "csv"
path = "data/raw/my/orders.csv"
[tables.accounts]
sql = "accounts.sql"
[tables.invoices]
sql = "invoices.sql"
[cutoffs]
first = 2024-01-01
last = 2024-12-01
[horizon]
days = 90
[population]
table = "accounts"
[target]
table = "invoices"
"""


def test_a_good_file_is_read_with_its_defaults() -> None:
    config = parse(GOOD, "my.toml")
    assert (config.name, config.horizon.gap_days, config.split.groups) == ("my", 0, "disjoint")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[horizon]", "[horizn]", "Did you mean 'horizon'?"),
        ("days = 90", "days = 90\ngap = 3", "Did you mean 'gap_days'?"),
        ("days = 90", "days = 0", "greater than or equal to 1"),
        ("days = 90", "", "Add a line 'days = …'"),
        ("[horizon]\ndays = 90\n", "", "Add a section [horizon]"),
        ('kind = "csv"', 'kind = "cvs"', "Did you mean 'csv'?"),
        ('table = "invoices"\n', 'table = "invoice"\n', "Did you mean 'invoices'?"),
        ('"Europe/Vienna"', '"Europe/Viena"', "Did you mean 'Europe/Vienna'?"),
        ('currency = "EUR"', 'currency = "euro"', "currency"),
        ('name = "my"', 'name = "../my"', "lower case letters"),
        ("[tables.invoices]", "[tables.invoicing]", "invoices"),
        ("days = 90", "days = [", "not valid TOML"),
        ("[horizon]", '[models]\nmonotone = "hint"\n[horizon]', "Did you mean 'hints'?"),
        ("[horizon]", '[models]\nmonotone = { a = "up" }\n[horizon]', "'rising' or 'falling'"),
        ("[horizon]", "[models]\nhalf_life_days = 0\n[horizon]", "greater than 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(old, new), "my.toml")
    assert says in str(caught.value)
    assert "my.toml" in caught.value.where
    assert caught.value.fix
    assert caught.value.exit_code == 2


def test_a_table_that_is_used_must_be_declared() -> None:
    text = GOOD + '[[features.windows]]\ntable = "events"\nmeasures = ["count"]\nwindows_days = [30]\n'
    with pytest.raises(ConfigError, match="'events' is used but not declared"):
        parse(text, "my.toml")


def test_tiers_must_be_ordered() -> None:
    with pytest.raises(ConfigError, match="tier_b must be larger"):
        parse(GOOD + "[scoring]\ntier_a = 0.8\ntier_b = 0.5\n", "my.toml")


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ("min = 3, max = 3", "min must lie below max"),
        ("min = 0, max = 101", "at most 100 steps"),
        ("min = 0, max = 1, step = 0", "greater than 0"),
        ("min = 0, max = inf", "finite"),
        ("min = 0", "Add a line"),
    ],
)
def test_what_is_actionable_needs_bounds_and_few_steps(bounds: str, says: str) -> None:
    text = GOOD + '[explanation.actionable]\n"events.call.count_30d" = { %s }\n'
    read = parse(text.replace("%s", "min = 0, max = 50, step = 0.5"), "my.toml")
    assert read.explanation.actionable["events.call.count_30d"].step == 0.5
    with pytest.raises(ConfigError, match=says):
        parse(text.replace("%s", bounds), "my.toml")


def test_the_fingerprint_is_of_the_meaning_not_of_the_text() -> None:
    commented = "# a comment\n" + GOOD.replace("days = 90", "days = 90  # a quarter")
    assert parse(GOOD, "a").fingerprint() == parse(commented, "b").fingerprint()
    assert parse(GOOD, "a").fingerprint() != parse(GOOD.replace("90", "91"), "a").fingerprint()


def test_a_file_called_otherwise_than_its_pipeline_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"is called 'other\.toml'"):
        load(tmp_path / "other.toml")


def test_a_file_with_a_byte_order_mark_is_read_and_another_encoding_refused(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(GOOD, encoding="utf-8-sig")
    assert load(tmp_path / "my.toml").name == tomllib.loads(GOOD)["pipeline"]["name"]
    (tmp_path / "my.toml").write_bytes(GOOD.replace("Mine", "Größe").encode("cp1252"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "my.toml")


def test_what_audits_ask_for_changes_no_number_and_its_bounds_hold_the_same_night() -> None:
    strict = parse(GOOD + "[audit]\nmax_psi = 0.05\naccounts = [0.99, 1.01]\n", "my.toml")
    assert strict.audit.max_psi == 0.05
    assert strict.fingerprint() == parse(GOOD, "my.toml").fingerprint()
    with pytest.raises(ConfigError, match="1 is between"):
        parse(GOOD + "[audit]\naccounts = [1.1, 1.5]\n", "my.toml")
    with pytest.raises(ConfigError, match="Did you mean 'max_psi'"):
        parse(GOOD + "[audit]\nmax_pis = 0.05\n", "my.toml")


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ('kind = "postgres"\nurl_env = "postgresql://u:c4n4ry@h/d"', "name of an environment variable"),
        ('kind = "postgres"\nurl = "postgresql://u:c4n4ry@h/d"', "Unknown key 'url'"),
        ('kind = "postgres"\nurl_env = "c4n4ry"', "name of an environment variable"),
        ('kind = "duckdb"\npath = "postgresql://u:c4n4ry@h/d"', "not a URL"),
        ('kind = "c4n4ry"\npath = "x"', "Input should be"),
        ('kind = "parquet"', "needs path"),
        ('kind = "duckdb"\npath = "x"\nurl_env = "X"', "takes neither url_env nor schema"),
        ('kind = "sql"\npath = "x"', "needs url_env"),
        ('kind = "sql"\nurl_env = "X"\nschema = "a; DROP TABLE c4n4ry"', "lower case letters"),
        ('kind = "sql"\nurl_env = "X"\nprefix = "a\\"b"', "lower case letters"),
        ('kind = "sql"\nurl_env = "X"\ntables = ["reasons"]', "must name scores"),
        ('kind = "sql"\nurl_env = "X"\ntables = ["scores", "c4n4ry"]', "Input should be"),
    ],
)
def test_a_sink_holds_no_secret_and_an_error_tells_none(section: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        parse(GOOD + f"[sinks.warehouse]\n{section}\n", "my.toml")
    assert "c4n4ry" not in str(caught.value)
    assert "warehouse" in caught.value.where


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ('kind = "csv"\npath = "https://u:c4n4ry@h/x.csv"', "not a URL"),
        ('kind = "dataset"\ndataset = "https://u:c4n4ry@h"', "should match"),
        ('kind = "postgresql://u:c4n4ry@h/d"', "Input should be"),
        ('kind = "sql"\ntable = "t"\nurl_env = "postgresql://u:c4n4ry@h/d"', "environment variable"),
    ],
)
def test_a_url_that_stands_in_a_source_is_not_repeated(section: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        parse(GOOD + f"[sources.crm]\n{section}\n", "my.toml")
    assert "c4n4ry" not in str(caught.value)


def test_sinks_change_no_number() -> None:
    text = GOOD + '[sinks.warehouse]\nkind = "postgres"\nurl_env = "HVA_WAREHOUSE_URL"\n'
    read = parse(text, "my.toml")
    assert read.sinks["warehouse"].tables == ("scores", "reasons", "texts")
    assert read.fingerprint() == parse(GOOD, "my.toml").fingerprint()
