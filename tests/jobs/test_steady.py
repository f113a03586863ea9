"""The run rate beside the trees of a value model: mixed exactly, at the same total, and explained."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from hva_ml.config import Models
from hva_ml.explanation.treeshap import interventional
from hva_ml.jobs.steady import mixed, steadied
from hva_ml.jobs.valuation import Side, Worth, fit_worth
from hva_ml.training.run_rate import AMOUNT, SHARE, TENURE, Steady, log_run_rate
from hva_ml.training.search import SearchResult

NAMES = ["other", AMOUNT, TENURE]
HORIZON = 90
FOUND = SearchResult(
    "value", {"num_leaves": 7, "min_child_samples": 20, "learning_rate": 0.1}, "gamma", 60, 0.0, "",
    pa.table({}), {}, 0,
)  # fmt: skip


def side(n: int, scale: float, slope: float, seed: int) -> Side:
    """Return accounts whose value follows their run rate with an exponent."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=n), scale * rng.lognormal(6, 1, n), rng.integers(100, 600, n)])
    rate = X[:, 1] * HORIZON / np.minimum(X[:, 2], 365)
    value = rate**slope * np.exp(0.3 * X[:, 0] + 0.3 * rng.normal(size=n))
    converted = (np.arange(n) % 3 > 0).astype(np.int8)
    return Side(X, converted, value * converted, np.full(n, 0.1 * seed))


def groups(n: int) -> list[str]:
    return [f"g{k % (n // 2)}" for k in range(n)]


def fitted(train: Side, later: Side, *, direct: bool = False) -> Worth:
    return fit_worth(train, later, NAMES, FOUND, None, direct, Models())


GROWN = side(600, 1.0, 1.0, 1), side(600, 12.0, 1.0, 2)
"""Later accounts have bought twelve times as much as any training has seen."""
UNRELATED = side(900, 1.0, 0.0, 1), side(900, 1.0, 0.0, 2)


def test_where_values_grow_past_all_that_was_seen_it_is_taken() -> None:
    train, later = GROWN
    trees = fitted(train, later)
    worth = steadied(trees, train, later, groups(600), NAMES, HORIZON)
    assert worth.steady is not None
    assert worth.steady.share == SHARE
    unseen = side(600, 12.0, 1.0, 3)

    def error(w: Worth) -> float:
        won = unseen.converted == 1
        log = np.log(w.predicted(unseen)[won]) - np.log(unseen.value[won])
        return float((log - log.mean()).std())

    assert error(worth) < 0.9 * error(trees)


def test_where_values_do_not_follow_purchases_it_is_left_out() -> None:
    train, later = UNRELATED
    trees = fitted(train, later)
    worth = steadied(trees, train, later, groups(900), NAMES, HORIZON)
    assert worth.steady is not None
    assert worth.steady.share == 0.0
    assert worth.booster is trees.booster
    assert (worth.log_scale, worth.level) == (trees.log_scale, trees.level)


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("share", [0.25, 0.5])
def test_its_share_of_the_logarithm_is_exact_and_the_total_stays(share: float, direct: bool) -> None:
    train, later = GROWN
    trees = fitted(train, later, direct=direct)
    worth = mixed(trees, Steady(share, 0.1, 0.01), train, later, NAMES, HORIZON)
    rate = log_run_rate(train.learned(direct).X, NAMES, HORIZON)
    assert rate is not None
    rows = later.learned(direct)
    alone = np.log(trees.predicted(rows)) - rows.swing
    both = np.log(worth.predicted(rows)) - rows.swing
    rest = both - (1 - share) * alone - share * rate.margin(rows.X)
    np.testing.assert_allclose(rest, rest[0], atol=1e-9)
    assert worth.predicted(rows).sum() == pytest.approx(trees.predicted(rows).sum(), rel=1e-12)
    assert (worth.level, worth.tail, worth.direct) == (trees.level, trees.tail, direct)


def test_the_market_moves_values_in_full() -> None:
    train, later = GROWN
    worth = mixed(fitted(train, later), Steady(0.5, 0.1, 0.01), train, later, NAMES, HORIZON)
    higher = replace(later, swing=later.swing + 0.2)
    np.testing.assert_allclose(worth.predicted(higher) / worth.predicted(later), np.exp(0.2))


def test_reasons_add_up_to_the_margin_and_the_run_rate_is_told_of_its_two_columns() -> None:
    train, later = GROWN
    trees = fitted(train, later)
    worth = mixed(trees, Steady(0.25, 0.1, 0.01), train, later, NAMES, HORIZON)
    rate = log_run_rate(train.learned(False).X, NAMES, HORIZON)
    assert rate is not None
    X, reference = later.X[:50], train.X[0]
    found = interventional(worth.booster, X, reference)
    np.testing.assert_allclose(
        found.sum(axis=1), worth.booster.margin(X) - worth.booster.margin(reference[None, :]), atol=1e-9
    )
    own = (found - 0.75 * interventional(trees.booster, X, reference)) / 0.25
    np.testing.assert_allclose(own[:, 0], 0.0, atol=1e-9)
    for place in (1, 2):
        changed = np.tile(reference, (len(X), 1))
        changed[:, place] = X[:, place]
        np.testing.assert_allclose(
            own[:, place], rate.margin(changed) - rate.margin(reference[None, :]), atol=1e-9
        )


def test_without_the_columns_nothing_is_asked() -> None:
    train, later = GROWN
    names = ["a", "b", "c"]
    trees = fit_worth(train, later, names, FOUND, None, False, Models())
    assert steadied(trees, train, later, groups(600), names, HORIZON) is trees
