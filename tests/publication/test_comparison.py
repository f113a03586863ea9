"""HVS002 to HVS009: what of a night is held against the night before, and when that is no comparison."""

import statistics
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.publication.comparison import compared
from hva_ml.publication.nights import Profile, profile

CODES = (*(f"HVS00{k}" for k in range(2, 10)), "HVS012", "HVS013", "HVS014", "HVS015")
AGAINST_LAST_NIGHT = {*CODES} - {"HVS008", "HVS009", "HVS013", "HVS014", "HVS015"}
OF_THE_MODEL = {"HVS005", "HVS006", "HVS007"}


def outcomes(rows):
    return {r.code: r.outcome for r in rows}


def features(**null_shares):
    return {name: Profile(share) for name, share in null_shares.items()}


def found(rows):
    return {r.code for r in rows if r.outcome == "found"}


def test_a_night_against_itself_passes_whatever_the_order_of_its_rows(night, tonight):
    rows = compared(tonight(night()), night(shuffle=1), "")
    assert outcomes(rows) == dict.fromkeys(CODES, "passed")
    assert [r.measured for r in rows] == [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.01, 0.3, 0.0, 0.0, 0.0]
    assert all(r.bound for r in rows)


@given(st.integers(0, 1000), st.integers(0, 1000), st.floats(0.3, 3))
def test_the_order_of_rows_changes_nothing(night, tonight, one, two, scale):
    straight = compared(tonight(night(scale=scale)), night(), "")
    mixed = compared(tonight(night(scale=scale, shuffle=one)), night(shuffle=two), "")
    for a, b in zip(straight, mixed, strict=True):
        assert (a.code, a.outcome, a.where) == (b.code, b.outcome, b.where)
        assert a.measured == b.measured


def test_half_of_the_accounts_is_an_alarm_and_a_few_more_are_none(night, tonight):
    last = night()
    few = replace(
        last, account_id=last.account_id[:300], tier=last.tier[:300],
        numbers={c: v[:300] for c, v in last.numbers.items()},
    )  # fmt: skip
    assert found(compared(tonight(few), last, "")) >= {"HVS002", "HVS003"}
    # The other way round nobody is gone.
    assert "HVS003" not in found(compared(tonight(last), few, ""))
    assert "HVS002" in found(compared(tonight(last), few, ""))
    assert found(compared(tonight(few, accounts=(0.7, 1.4), max_gone=0.3), last, "")) <= {"HVS007"}


def test_ids_written_otherwise_are_accounts_gone_and_tiers_are_then_no_comparison(night, tonight):
    last = night()
    other = replace(last, account_id=pa.array([i.lower() for i in last.account_id.to_pylist()]))
    rows = compared(tonight(other), last, "")
    assert found(rows) == {"HVS003"}
    assert outcomes(rows)["HVS006"] == "not applicable"


@pytest.mark.parametrize("now", [0.0, 0.6])
def test_a_feature_that_is_unknown_more_or_less_often_is_named(night, tonight, now):
    rows = compared(tonight(night(features=features(**{"f.a": 0.05, "f.b": now, "f.new": 1.0}))), night(), "")
    assert found(rows) == {"HVS004"}
    row = rows[2]
    assert (row.where, row.measured) == ("f.b", now - 0.25)
    assert f"1 of 2 features has moved: f.b 25% → {now:.0%}" in row.what


def test_a_move_within_chance_is_none_among_few_accounts(night, tonight):
    shares = features(**{"f.a": 0.0, "f.b": 0.40})
    assert found(compared(tonight(night(60, features=shares)), night(60), "")) == set()
    assert found(compared(tonight(night(features=shares)), night(), "")) == {"HVS004"}


@pytest.mark.parametrize(
    ("times", "alarm"), [(1.4, False), (1.6, True), (0.6, True), (0.0, True), (100, True)]
)
def test_a_feature_in_another_unit_is_found_by_its_level(night, tonight, times, alarm):
    now = night(features={"f.a": Profile(0.0, 10.0 * times, 5.0 * times), "f.b": Profile(0.25)})
    rows = compared(tonight(now), night(), "")
    assert found(rows) == ({"HVS012"} if alarm else set())
    assert (rows[3].where, rows[3].measured) == ("f.a", pytest.approx(times))


def test_levels_may_move_further_in_more_nights_and_by_chance(night, tonight):
    def told(times, spread, days=1, n=400):
        later = night(n, day=f"2025-01-{2 + days:02d}", features={"f.a": Profile(0.0, 10.0 * times, spread)})
        return found(compared(tonight(later), night(n, features={"f.a": Profile(0.0, 10.0, spread)}), ""))

    assert told(2.0, 5.0) == {"HVS012"}
    assert told(2.0, 5.0, days=4) == set()
    assert told(2.0, 5.0, days=2) == {"HVS012"}
    # 4 standard errors of the ratio: a mean of 10 that comes from a few accounts.
    assert told(2.0, 80.0) == set()
    # All zero now: certain if it was certainly not zero before.
    assert told(0.0, 5.0) == {"HVS012"}
    assert told(0.0, 80.0) == set()


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=30))
def test_a_profile_is_what_plain_python_says(values):
    told = profile(pa.chunked_array([pa.array(values, pa.float64())]))
    size = [abs(v) for v in values if v is not None]
    assert told.null_share == values.count(None) / len(values)
    if len(size) < 2 or (min(size) == max(size) and size[0] > 0):
        assert told.level is None
    else:
        assert told.level == pytest.approx(statistics.fmean(size), rel=1e-9, abs=1e-12)
        assert told.spread == pytest.approx(statistics.pstdev(size), rel=1e-6, abs=1e-6)
    assert told.apart == pytest.approx(1 - max(Counter(values).values()) / len(values))
    assert profile(pa.chunked_array([["a", None, None, None]])) == Profile(0.75, apart=0.25)


def test_values_in_another_unit_move_distribution_and_total_but_no_tier(night, tonight):
    rows = compared(tonight(night(scale=2.0)), night(), "")
    assert found(rows) == {"HVS005", "HVS007"}
    by = {r.code: r for r in rows}
    assert by["HVS007"].measured == pytest.approx(2.0)
    assert by["HVS006"].measured == 0.0
    assert by["HVS005"].where == "scores.value_if_converted"


def test_accounts_that_changed_places_are_seen_by_their_tiers_alone(night, tonight):
    last = night()
    turned = pa.array(last.account_id.to_pylist()[::-1])
    rows = compared(tonight(replace(last, account_id=turned)), last, "")
    assert found(rows) == {"HVS006"}
    was = dict(zip(last.account_id.to_pylist(), last.tier.to_pylist(), strict=True))
    now = dict(zip(turned.to_pylist(), last.tier.to_pylist(), strict=True))
    assert rows[5].measured == np.mean([was[i] != now[i] for i in was])


def test_a_small_sample_moves_further_by_chance(night, tonight):
    one, two = night(40), night(41)
    assert found(compared(tonight(two), one, "")) & {"HVS005"} == set()


def test_unseen_categories_and_accounts_without_history_are_asked_of_every_night(night, tonight):
    bad = replace(tonight(night(without_history=0.99)), unseen={"f.c": 0.5})
    assert found(compared(bad, None, "This is the first run.")) == {"HVS008", "HVS009"}
    assert found(compared(tonight(night(without_history=0.45)), night(), "")) == {"HVS009"}
    assert found(compared(tonight(night(without_history=0.2)), night(), "")) == set()
    none = replace(tonight(night(without_history=None)), unseen={})
    told = outcomes(compared(none, night(), ""))
    assert (told["HVS008"], told["HVS009"]) == ("not applicable", "not applicable")


def test_what_is_no_comparison_says_why(night, tonight):
    far = compared(tonight(night(scale=9.0)), night(), "The run before is 90 days away.")
    assert {c for c, o in outcomes(far).items() if o == "not applicable"} == AGAINST_LAST_NIGHT
    assert all("90 days" in r.what for r in far if r.outcome == "not applicable")
    other = compared(tonight(night(scale=9.0, release="r2", version="2")), night(), "")
    assert {c for c, o in outcomes(other).items() if o == "not applicable"} == OF_THE_MODEL
    assert "release 1" in other[4].what
    assert "release 2" in other[4].what
    changed = compared(tonight(night(settings="s2")), night(), "")
    assert {c for c, o in outcomes(changed).items() if o == "not applicable"} == {"HVS006"}
    old = compared(tonight(night()), night(features={}, without_history=None), "")
    assert outcomes(old)["HVS004"] == "not applicable"
    assert outcomes(old)["HVS009"] == "passed"
    assert "Not compared" in {r.code: r.what for r in old}["HVS009"]
