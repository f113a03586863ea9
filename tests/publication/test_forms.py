"""HVS013 and HVS014: last night's form of the sources, zones and values that differ."""

import pyarrow as pa
import pytest

from hva_ml.publication.forms import FROZEN, ZONES, forms
from hva_ml.publication.nights import Profile, profile

ONE = "The first run."


def told(tonight, last, **limits):
    return {r.code: r for r in forms(tonight, last, ONE)}


def test_the_first_night_and_an_old_one_are_no_comparison(night, tonight):
    first = told(tonight(night()), None)
    assert {r.outcome for r in first.values()} == {"not applicable"}
    assert {r.what for r in first.values()} == {ONE}
    old = night(zoneless={}, varied={}, features={"f.a": Profile(0.0, 10.0, 5.0)})
    assert {r.outcome for r in told(tonight(night()), old).values()} == {"not applicable"}


@pytest.mark.parametrize(
    ("before", "now", "lost"),
    [(0.0, 1.0, True), (0.0, 0.0005, False), (0.0, 0.002, True), (1.0, 1.0, False), (1.0, 0.0, False)],
)
def test_times_that_lose_their_zone_are_found(night, tonight, before, now, lost):
    last = night(zoneless={"events.event_time": before, "invoices.event_time": 0.0})
    row = told(tonight(night(zoneless={"events.event_time": now, "invoices.event_time": 0.0})), last)[ZONES]
    assert row.outcome == ("found" if lost else "passed")
    if lost:
        assert row.where == "events.event_time"
        assert "may be hours off" in row.what
        assert "AT TIME ZONE 'UTC'" in row.fix
        assert "1 of 2 columns" in row.what


def test_the_rise_that_is_let_out_is_a_setting_and_new_columns_have_no_last_night(night, tonight):
    now = night(zoneless={"events.event_time": 0.4, "leads.won_at": 1.0})
    last = night(zoneless={"events.event_time": 0.0})
    assert told(tonight(now, max_zoneless_rise=0.5), last)[ZONES].outcome == "passed"
    assert told(tonight(now, max_zoneless_rise=0.3), last)[ZONES].outcome == "found"


def test_a_column_of_a_source_that_becomes_constant_is_found_unless_it_may(night, tonight):
    last = night(varied={"invoices.amount_cents": 20, "deal_stages.stage": 19, "invoices.currency": 0})
    now = night(varied=dict.fromkeys(last.varied, 0))
    row = told(tonight(now), last)[FROZEN]
    assert (row.outcome, row.where) == ("found", "invoices.amount_cents")
    assert "deal_stages" not in row.what
    assert told(tonight(now, may_be_constant=("invoices.amount_cents",)), last)[FROZEN].outcome == "passed"
    assert told(tonight(last), now)[FROZEN].outcome == "passed"


@pytest.mark.parametrize(
    ("before", "now", "n", "found"),
    [(0.3, 0.0, 400, True), (0.04, 0.0, 4000, False), (0.3, 0.01, 400, False), (0.0, 0.0, 400, False),
     (0.3, 0.0, 30, False), (0.06, 0.0, 100, False), (None, 0.0, 400, False)],
)  # fmt: skip
def test_a_feature_that_becomes_the_same_for_all_is_found(night, tonight, before, now, n, found):
    last = night(n, features={"f.a": Profile(0.0, apart=before)})
    row = told(tonight(night(n, features={"f.a": Profile(1.0, apart=now)})), last)[FROZEN]
    assert row.outcome == ("found" if found else "passed")
    if found:
        assert row.where == "f.a"
        assert "f.a (30% of the accounts differed last night)" in row.what


def test_limits_of_features_are_settings(night, tonight):
    last, now = (night(features={"f.a": Profile(0.0, apart=a)}) for a in (0.3, 0.0))
    assert told(tonight(now, min_varied=0.5), last)[FROZEN].outcome == "passed"
    assert told(tonight(now, may_be_constant=("f.a",)), last)[FROZEN].outcome == "passed"


@pytest.mark.parametrize("kind", [pa.string(), pa.float64()])
def test_the_share_apart_is_told_of_many_accounts_from_a_sample_that_all_are_counted_for(kind):
    rare = [1] * 6 if kind == pa.float64() else ["b"] * 6
    common = [0] * 9_994 if kind == pa.float64() else [None] * 9_994
    column = pa.chunked_array([pa.array(rare, kind), pa.array(common, kind)])
    assert profile(column).apart == pytest.approx(0.0006)
    assert profile(column[6:]).apart == 0.0
