"""The truth against chance: orders drawn again and again on one hidden path."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.errors import UsageError
from hva_ml.starter import companies, latent, orders
from hva_ml.starter.period import DAY, Period, generator, micros
from hva_ml.starter.simulator import Simulated
from hva_ml.starter.truth import Truth

ACCOUNTS, DRAWS = 150, 3000
START = datetime(2024, 9, 14, 5, 30, tzinfo=UTC)
END = START + timedelta(days=90)


@dataclass
class Drawn:
    """Repeated orders on one path: arrays of shape (DRAWS, ACCOUNTS)."""

    truth: Truth
    converted: np.ndarray
    before: np.ndarray
    net: np.ndarray


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    period = Period.of(date(2023, 1, 1), date(2024, 12, 31))
    who, _ = companies.draw(3, 0, period)
    hidden = latent.draw(3, who, period)
    pieces = latent.order_pieces(3, who, hidden, period)[0].upto(ACCOUNTS)
    truth = Truth(who.ids.slice(0, ACCOUNTS), period, pieces)
    a, b = micros(START), micros(END)
    converted = np.zeros((DRAWS, ACCOUNTS), bool)
    before = np.zeros((DRAWS, ACCOUNTS), bool)
    net = np.zeros((DRAWS, ACCOUNTS))
    for k in range(DRAWS):
        made = orders.draw(generator(3, 0, "orders", draw=k + 1), pieces)
        inside = (made.time >= a) & (made.time < b)
        past = (made.time >= a - 180 * DAY) & (made.time < a)
        back = (made.credit_time >= a) & (made.credit_time < b)
        converted[k, made.account[inside]] = True
        before[k, made.account[past]] = True
        np.add.at(net[k], made.account[inside], made.amount[inside])
        np.add.at(net[k], made.account[back], -made.credit[back])
    return Drawn(truth, converted, before, net)


def test_frequency_of_orders_is_the_probability(drawn: Drawn) -> None:
    p = drawn.truth.probability(drawn.truth.ids, START, END)
    assert 0.05 < p.mean() < 0.3
    assert p.max() > 0.7
    error = np.sqrt(p * (1 - p) / DRAWS)
    z = (drawn.converted.mean(0) - p)[p > 0] / error[p > 0]
    assert np.abs(z).max() < 4.5
    assert 0.7 < (z**2).mean() < 1.4
    assert not drawn.converted[:, p == 0].any()


def test_the_past_says_nothing_more_once_the_path_is_known(drawn: Drawn) -> None:
    p = drawn.truth.probability(drawn.truth.ids, START, END)
    for past in (drawn.before, ~drawn.before):
        hits = (drawn.converted & past).sum()
        variance = (past * (p * (1 - p))).sum()
        assert abs(hits - (past * p).sum()) < 4.5 * np.sqrt(variance)


def test_mean_net_amount_is_the_expected_value(drawn: Drawn) -> None:
    expected = drawn.truth.expected_value(drawn.truth.ids, START, END)
    error = drawn.net.std(0) / np.sqrt(DRAWS)
    often = drawn.converted.sum(0) >= 100
    assert often.sum() > 40
    z = (drawn.net.mean(0) - expected)[often] / error[often]
    assert np.abs(z).max() < 5
    assert 0.6 < (z**2).mean() < 1.5
    total = drawn.net.sum(1)
    assert abs(total.mean() - expected.sum()) < 4.5 * total.std() / np.sqrt(DRAWS)


def test_mean_net_amount_of_converters_is_the_value_given_conversion(drawn: Drawn) -> None:
    given = drawn.truth.value_given_conversion(drawn.truth.ids, START, END)
    hits = drawn.converted.sum(0)
    often = np.flatnonzero(hits >= 150)
    assert len(often) > 30
    z = []
    for k in often:
        won = drawn.net[drawn.converted[:, k], k]
        z.append((won.mean() - given[k]) / (won.std() / np.sqrt(len(won))))
    assert np.abs(z).max() < 5
    assert 0.6 < np.mean(np.square(z)) < 1.5


def test_rows_of_the_simulation_agree_with_its_truth(standard: Simulated) -> None:
    invoices = standard.tables["invoices"].to_pandas()
    hits, mean, variance = 0, 0.0, 0.0
    ids = standard.truth.ids
    for quarter in range(15):
        start = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=90 * quarter)
        end = start + timedelta(days=90)
        p = standard.truth.probability(ids, start, end)
        rows = (invoices["issued_at"] >= start) & (invoices["issued_at"] < end)
        hits += invoices.loc[rows & (invoices["amount_cents"] > 0), "company_id"].nunique()
        mean, variance = mean + p.sum(), variance + (p * (1 - p)).sum()
    assert abs(hits - mean) < 4 * np.sqrt(variance)


@settings(max_examples=60, deadline=None)
@given(days=st.lists(st.floats(0.0, 720.0), min_size=3, max_size=3, unique=True))
def test_windows_add_up(simulated: Simulated, days: list[float]) -> None:
    a, b, c = (datetime(2023, 1, 2, tzinfo=UTC) + timedelta(days=d) for d in sorted(days))
    if len({a, b, c}) < 3:
        return
    truth, ids = simulated.truth, simulated.truth.ids
    left, right, whole = (truth.probability(ids, *w) for w in ((a, b), (b, c), (a, c)))
    np.testing.assert_allclose((1 - left) * (1 - right), 1 - whole, atol=1e-12)
    assert (whole >= left).all()
    parts = truth.expected_value(ids, a, b) + truth.expected_value(ids, b, c)
    np.testing.assert_allclose(parts, truth.expected_value(ids, a, c), rtol=1e-9, atol=1e-6)


def test_product_of_probability_and_value_leaves_only_old_credit_notes(simulated: Simulated) -> None:
    first = datetime(2023, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    truth, ids = simulated.truth, simulated.truth.ids
    window = (first, first + timedelta(days=200))
    p, v = truth.probability(ids, *window), truth.value_given_conversion(ids, *window)
    some = p > 0
    np.testing.assert_allclose((p * v)[some], truth.expected_value(ids, *window)[some], rtol=1e-9)
    assert np.isnan(v[~some]).all()
    assert (~some).any()


def test_accounts_may_come_in_any_order_and_form(simulated: Simulated) -> None:
    ids = simulated.truth.ids.to_pylist()
    asked = [ids[9], ids[2], ids[9]]
    got = simulated.truth.probability(asked, START, END)
    whole = simulated.truth.probability(simulated.truth.ids, START, END)
    np.testing.assert_array_equal(got, whole[[9, 2, 9]])
    chunked = pa.chunked_array([pa.array(asked[:1]), pa.array(asked[1:])])
    np.testing.assert_array_equal(simulated.truth.probability(chunked, START, END), got)
    coded = pa.array(asked).dictionary_encode()
    np.testing.assert_array_equal(simulated.truth.probability(coded, START, END), got)
    assert simulated.truth.probability([], START, END).shape == (0,)


@pytest.mark.parametrize(
    ("ids", "start", "end"),
    [
        (["nobody"], START, END),
        ([], END, START),
        ([], START.replace(tzinfo=None), END),
        ([], START, datetime(2025, 1, 1, tzinfo=UTC)),
        ([], datetime(2022, 12, 1, tzinfo=UTC), END),
    ],
)
def test_questions_without_an_answer_are_refused(simulated: Simulated, ids, start, end) -> None:
    with pytest.raises(UsageError):
        simulated.truth.probability(ids, start, end)
