"""The kernel's scores are LightGBM's to the last bit: models it trains, and trees drawn at random."""

import logging
from collections.abc import Callable

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hva_ml.training import booster as door
from hva_ml.training import quickscorer
from hva_ml.training.booster import Booster
from hva_ml.training.layout import layout
from hva_ml.training.quickscorer import ROWS, raw_scores
from hva_ml.training.trees import NEARLY_ZERO

FEATURES = 6
ODD = [
    0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-40, -1e-40, 1e-30, NEARLY_ZERO, -NEARLY_ZERO,
    np.nextafter(NEARLY_ZERO, 1), np.nextafter(-NEARLY_ZERO, -1), 0.5, np.nextafter(0.5, 0),
    np.nextafter(0.5, 1), -1.0, -0.5, 1.0, 3.0, 31.0, 31.9, 32.0, 63.0, 64.0, 65.0, 70.0, 1e6, 2.0**31 - 1,
    2.0**31, 3e9, 1e300, -1e300, 1.7e308, np.inf, -np.inf, np.nan,
]  # fmt: skip
"""Values at which readings differ: around zero, around thresholds, around categories, and beyond."""
THRESHOLDS = [t for t in ODD if np.isfinite(t) and abs(t) <= 1e300]
CATEGORIES = [0, 1, 3, 31, 32, 63, 64, 70, 95]


def same_bits(text: str, X: np.ndarray, threads: int | None = None) -> bool:
    mine = raw_scores(layout(text), np.ascontiguousarray(X), threads)
    theirs = lightgbm.Booster(model_str=text).predict(X, raw_score=True)
    return np.array_equal(mine.view(np.int64), theirs.view(np.int64))


def rows(n: int, random: np.random.Generator) -> np.ndarray:
    """Return rows of numbers, categories and odd values."""
    X = random.normal(size=(n, FEATURES))
    X[:, 4:] = random.integers(0, 100, (n, 2))
    odd = random.random(X.shape) < 0.5
    X[odd] = random.choice(ODD, int(odd.sum()))
    return X


@pytest.fixture(scope="module")
def head() -> str:
    """What stands before the trees in a model text of six features."""
    X = np.random.default_rng(1).normal(size=(50, FEATURES))
    data = lightgbm.Dataset(X, X[:, 0], params={"verbosity": -1, "min_data_in_bin": 1})
    text = lightgbm.train({"objective": "regression", "verbosity": -1}, data, 1).model_to_string()
    lines = [line for line in text.split("Tree=0")[0].splitlines() if not line.startswith("tree_sizes=")]
    return "\n".join(lines) + "\n\n"


def tree(leaves: int, chain: bool, categories: float, random: np.random.Generator) -> str:
    """Grow a tree as LightGBM numbers it: a split takes the place of a leaf, its right leaf is a new one."""
    n = leaves - 1
    left, right, thresholds, sets, words = [], [], [], [0], []
    is_set = random.random(n) < categories
    place: list[tuple[list[int], int] | None] = [None]
    for split in range(n):
        leaf = int(random.integers(split + 1)) if not chain else split
        above = place[leaf]
        if above is not None:
            above[0][above[1]] = split
        left.append(~leaf)
        right.append(~(split + 1))
        place[leaf] = (left, split)
        place.append((right, split))
        if is_set[split]:
            thresholds.append(str(len(sets) - 1))
            members = random.choice(CATEGORIES, random.integers(0, 6), replace=False)
            bits = np.zeros(32 * int(random.integers(max(members, default=0) // 32 + 1, 5)), dtype=np.uint8)
            bits[members] = 1
            words += np.packbits(bits, bitorder="little").view("<u4").tolist()
            sets.append(len(words))
        else:
            thresholds.append(repr(float(random.choice(THRESHOLDS))))
    value = random.normal(size=leaves) * 10.0 ** random.integers(-12, 12, leaves)
    lines = {
        "num_leaves": [leaves], "num_cat": [len(sets) - 1], "split_feature": random.integers(0, FEATURES, n),
        "split_gain": [1] * n, "threshold": thresholds,
        "decision_type": np.where(is_set, 1, 2 * random.integers(0, 2, n)) + 4 * random.integers(0, 3, n),
        "left_child": left, "right_child": right, "leaf_value": [repr(float(v)) for v in value],
        "leaf_weight": [1] * leaves, "leaf_count": [1] * leaves, "internal_value": [0] * n,
        "internal_weight": [1] * n, "internal_count": [1] * n,
        **({"cat_boundaries": sets, "cat_threshold": words} if len(sets) > 1 else {}),
        "is_linear": [0], "shrinkage": [1],
    }  # fmt: skip
    return "\n".join(f"{key}={' '.join(map(str, values))}" for key, values in lines.items())


def test_random_trees(head: str) -> None:
    @settings(max_examples=80)
    @given(
        seed=st.integers(0, 2**32 - 1),
        sizes=st.lists(st.integers(1, 150), min_size=1, max_size=6),
        chain=st.booleans(),
        categories=st.floats(0, 1),
        n=st.integers(1, 2 * ROWS + 1),
    )
    def check(seed: int, sizes: list[int], chain: bool, categories: float, n: int) -> None:
        random = np.random.default_rng(seed)
        trees = [tree(leaves, chain, categories, random) for leaves in sizes]
        text = head + "".join(f"Tree={k}\n{t}\n\n" for k, t in enumerate(trees)) + "end of trees\n"
        assert same_bits(text, rows(n, random))

    check()


def trained(n: int = 1500, sets: tuple[int, ...] = (), rounds: int = 12, **params: object) -> str:
    """Train on numbers, zeros, missing values and, where asked, categories."""
    random = np.random.default_rng(7)
    X = random.normal(size=(n, FEATURES))
    X[:, 3] = 2.0
    X[:, 4:] = random.integers(0, 70, (n, 2))
    X[random.random(X.shape) < 0.15] = 0.0
    X[random.random(X.shape) < 0.15] = np.nan
    signal = np.nan_to_num(X[:, 0] * X[:, 1]) + np.isnan(X[:, 2]) + (np.nan_to_num(X[:, 4]) % 7 < 3)
    data = lightgbm.Dataset(X, signal + random.normal(size=n), categorical_feature=list(sets))
    given_ = {"objective": "regression", "verbosity": -1, "num_leaves": 31, "min_data_in_leaf": 3,
              "min_data_per_group": 5, "cat_smooth": 1.0, "num_threads": 1, "seed": 3, **params}  # fmt: skip
    return lightgbm.train(given_, data, rounds).model_to_string()


KINDS: dict[str, Callable[[], str]] = {
    "missing values learned": trained,
    "missing values ignored": lambda: trained(use_missing=False),
    "zero means missing": lambda: trained(zero_as_missing=True),
    "categories": lambda: trained(sets=(4, 5)),
    "categories, missing values ignored": lambda: trained(sets=(4, 5), use_missing=False),
    "categories, zero means missing": lambda: trained(sets=(4, 5), zero_as_missing=True),
    "categories one by one": lambda: trained(sets=(4, 5), max_cat_to_onehot=100),
    "one tree": lambda: trained(rounds=1),
    "hundreds of leaves": lambda: trained(num_leaves=600, min_data_in_leaf=1, rounds=3),
    "stumps": lambda: trained(num_leaves=2),
    "trees without splits": lambda: trained(min_gain_to_split=1e9),
    "random thresholds": lambda: trained(extra_trees=True),
    "averages of leaves renewed": lambda: trained(objective="regression_l1"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_models_that_lightgbm_trains(kind: str) -> None:
    text = KINDS[kind]()
    random = np.random.default_rng(5)
    e = layout(text).ensemble
    # Rows exactly on thresholds, and beside them.
    X = rows(3 * ROWS + 5, random)
    for split in random.integers(0, len(e.feature), 2000) if len(e.feature) else ():
        near = random.choice([e.threshold[split], np.nextafter(e.threshold[split], -np.inf),
                              np.nextafter(e.threshold[split], np.inf)])  # fmt: skip
        X[random.integers(len(X)), e.feature[split]] = near
    assert same_bits(text, X)


def test_neither_threads_nor_blocks_nor_the_order_of_rows_change_a_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = layout(trained(sets=(4,)))
    X = rows(4 * ROWS + 77, np.random.default_rng(3))
    whole = raw_scores(model, X, threads=1)
    for threads in (2, 3, None):
        assert raw_scores(model, X, threads).tobytes() == whole.tobytes()
    order = np.random.default_rng(4).permutation(len(X))
    assert raw_scores(model, X[order]).tobytes() == whole[order].tobytes()
    for first, last in ((0, 1), (5, 69), (ROWS - 1, ROWS + 1), (100, len(X))):
        assert raw_scores(model, X[first:last]).tobytes() == whole[first:last].tobytes()
    for block in (1, 64, 100, 10 * ROWS):
        monkeypatch.setattr(quickscorer, "ROWS_AT_ONCE", block)
        assert raw_scores(model, X[:300], threads=2).tobytes() == whole[:300].tobytes()


def test_a_condition_shared_by_trees_is_asked_once() -> None:
    model = layout(trained(rounds=40, num_leaves=8, max_bin=15))
    assert len(model.key) < len(model.node) / 2
    assert set(model.node[:, 0]) == set(range(len(model.key)))


def test_the_door_takes_the_kernel_for_many_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    model, X = Booster.from_text(trained(sets=(4, 5))), rows(door.MANY_ROWS, np.random.default_rng(9))
    taken = []

    def watched(*given: object) -> np.ndarray:
        taken.append(given)
        return raw_scores(*given)

    monkeypatch.setattr(door, "raw_scores", watched)
    few, many = model.margin(X[:-1]), model.margin(X)
    assert len(taken) == 1
    assert few.tobytes() == many[:-1].tobytes()
    for other in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2]):
        assert model.margin(other).tobytes() == many.tobytes()
    single = np.random.default_rng(2).normal(size=X.shape).astype(np.float32)
    assert model.margin(single).tobytes() == model.native.predict(single, raw_score=True).tobytes()


def test_a_model_that_the_kernel_cannot_hold_is_left_to_lightgbm(caplog: pytest.LogCaptureFixture) -> None:
    text, X = trained(linear_tree=True), rows(door.MANY_ROWS, np.random.default_rng(9))
    X[~np.isfinite(X)] = 1.0
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            model = Booster.from_text(text)
            assert model.margin(X).tobytes() == model.native.predict(X, raw_score=True).tobytes()
    said = [r.getMessage() for r in caplog.records if r.name.startswith("hva_ml")]
    assert len(said) == 1
    assert "linear leaves" in said[0]
