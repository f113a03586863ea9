"""Leads of any table become the contract's, whole or with a finding; what became of them is never guessed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.config import PipelineConfig, parse
from hva_ml.contracts.checks import enforce
from hva_ml.contracts.decisions import NEVER, decisions, local_days
from hva_ml.contracts.leads import shaped
from hva_ml.contracts.records import ContractTables
from hva_ml.errors import ContractError

TOML = """
[pipeline]
name = "few"
title = "Few"
timezone = "Europe/Berlin"
[sources.few]
kind = "csv"
path = "few.csv"
[leads]
source = "few"
{keys}
[leads.features]
channel = {{ de = "Kanal", en = "channel" }}
"""
BY_DAY = 'id = "no"\ncreated = "seen"\nwon_at = "signed"\nwon_within_days = 30'
BY_NAME = 'won = "state"\nwon_values = ["won"]\nlost_values = ["lost"]'
FIRST = date(2025, 3, 1)


def _config(keys: str) -> PipelineConfig:
    return parse(TOML.format(keys=keys), "few.toml")


def _enforced(keys: str, columns: dict[str, list[Any]]) -> ContractTables:
    config = _config(keys)
    assert config.leads is not None
    return enforce({"leads": shaped(pa.table(columns), None, config.leads)}, config, None)


def _codes(tables: ContractTables) -> dict[str, int]:
    return {v.code: v.count for v in tables.violations if v.code >= "HVD033"}


def test_leads_won_before_their_contact_are_set_aside() -> None:
    days = [FIRST, FIRST, FIRST]
    signed = [FIRST - timedelta(days=2), FIRST, None]
    found = _enforced(BY_DAY, {"no": ["a", "b", "c"], "seen": days, "signed": signed, "channel": ["x"] * 3})
    assert _codes(found) == {"HVD033": 1}
    assert found.tables["leads"]["account_id"].to_pylist() == ["b", "c"]


def test_leads_won_on_an_unknown_day_are_set_aside() -> None:
    keys = BY_DAY + "\n" + BY_NAME
    found = _enforced(
        keys,
        {"no": ["a", "b"], "seen": [FIRST] * 2, "signed": [None, FIRST], "state": ["won", "won"],
         "channel": ["x", "y"]},
    )  # fmt: skip
    assert _codes(found) == {"HVD034": 1}
    assert found.tables["leads"]["account_id"].to_pylist() == ["b"]


def test_open_leads_and_copies_are_counted() -> None:
    found = _enforced(BY_NAME, {"state": ["won", "lost", "offer", "won"], "channel": ["x", "x", "y", "x"]})
    assert _codes(found) == {"HVD035": 1, "HVD036": 1}
    assert found.tables["leads"].num_rows == 4
    assert sorted(found.tables["leads"]["won"].to_pylist(), key=str) == [False, None, True, True]


@pytest.mark.parametrize(
    ("column", "named"), [("duration", True), ("close_reason", True), ("closest", False)]
)
def test_a_feature_named_like_the_outcome_is_pointed_out(column: str, named: bool) -> None:
    keys = BY_NAME + f'\n[leads.features.{column}]\nde = "x"\nen = "x"'
    found = _enforced(keys, {"state": ["won", "lost"], "channel": ["x", "y"], column: ["1", "2"]})
    assert ("HVD037" in _codes(found)) is named


def test_an_outcome_is_not_guessed() -> None:
    keys = 'won = "state"\nwon_values = ["won"]'
    with pytest.raises(ContractError, match="2 values besides won_values"):
        _enforced(keys, {"state": ["won", "lost", "offer"], "channel": ["x", "y", "z"]})
    assert _enforced(keys, {"state": ["won", "lost"], "channel": ["x", "y"]}).tables["leads"].num_rows == 2


def test_a_mistyped_column_is_named_with_the_nearest() -> None:
    with pytest.raises(ContractError, match="Did you mean 'chanel'"):
        _enforced(BY_NAME, {"state": ["won", "lost"], "chanel": ["x", "y"]})


def test_leads_without_an_id_keep_their_name_in_any_order() -> None:
    columns = {"state": ["won", "lost", "won"], "channel": ["x", "y", "x"]}
    one = _enforced(BY_NAME, columns).tables["leads"]
    turned = {name: values[::-1] for name, values in columns.items()}
    assert one.equals(_enforced(BY_NAME, turned).tables["leads"])


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.one_of(st.none(), st.integers(0, 80))), min_size=1, max_size=40
    ),
    st.integers(0, 300),
)
def test_what_is_known_on_a_day_is_what_had_happened(rows: list[tuple[int, int | None]], moment: int) -> None:
    config = _config(BY_DAY + "\ndata_end = 2025-10-01")
    end = datetime(2025, 10, 1, tzinfo=UTC)
    last = (end.date() - FIRST).days
    rows = [(c, d) for c, d in rows if d is None or c + d < last]
    if not rows:
        return
    signed = [None if d is None else FIRST + timedelta(days=c + d) for c, d in rows]
    table = _enforced(
        BY_DAY + "\ndata_end = 2025-10-01",
        {"no": [f"{k:03d}" for k in range(len(rows))], "seen": [FIRST + timedelta(days=c) for c, _ in rows],
         "signed": pa.array(signed, pa.date32()),
         "channel": ["x"] * len(rows)},
    ).tables["leads"]  # fmt: skip
    told = decisions(table, config, datetime(2025, 9, 30, 22, tzinfo=UTC))
    day = (FIRST - date(1970, 1, 1)).days
    moment = min(moment, last)
    for k, (contact, delay) in enumerate(rows):
        won = delay is not None and delay < 30
        assert told.won[k] == won
        assert told.decided[k] == (contact + 29 < last)
        known = contact + delay < moment if won and delay is not None else contact + 29 < moment
        assert told.known(day + moment)[k] == known


def test_days_are_those_of_the_clock_on_the_wall() -> None:
    moments = pa.chunked_array(
        [
            pa.array(
                [datetime(2025, 3, 29, 23, 30, tzinfo=UTC), datetime(2025, 7, 1, 22, 30, tzinfo=UTC), None],
                pa.timestamp("us", "UTC"),
            )
        ]
    )
    epoch = date(1970, 1, 1)
    expected = [(date(2025, 3, 30) - epoch).days, (date(2025, 7, 2) - epoch).days, NEVER]
    assert np.array_equal(local_days(moments, "Europe/Berlin"), expected)
