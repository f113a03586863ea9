import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.errors import NotEnoughDataError
from hva_ml.training.folds import folds


def rows(accounts: int = 300, cutoffs: int = 12, rate: float = 0.2, seed: int = 0):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(cutoffs), accounts)
    groups = [f"G{k // 2}" for k in range(accounts)] * cutoffs
    return groups, codes, rng.random(len(codes)) < rate


def test_held_out_groups_are_judged_late_and_never_fitted():
    groups, codes, positive = rows()
    names = np.array(groups)
    judged = []
    for fold in folds(groups, codes, positive, 7):
        assert not set(names[fold.fit]) & set(names[fold.valid])
        assert set(codes[fold.valid]) == {8, 9, 10, 11}
        assert set(codes[fold.fit]) == set(range(12))
        judged.append(fold.valid)
    together = np.sort(np.concatenate(judged))
    np.testing.assert_array_equal(together, np.flatnonzero(codes >= 8))


def test_rare_conversions_are_judged_at_all_cutoffs():
    groups, codes, positive = rows(rate=0.012)
    assert {c for f in folds(groups, codes, positive, 7) for c in codes[f.valid]} == set(range(12))


def test_too_few_conversions_are_refused_with_counts():
    groups, codes, positive = rows(rate=0.0)
    positive[:9] = True
    with pytest.raises(NotEnoughDataError, match="Too few conversions") as caught:
        folds(groups, codes, positive, 7)
    assert "9 conversions" in caught.value.where


@given(st.permutations(range(600)))
def test_row_order_does_not_matter(order):
    groups, codes, positive = rows(50)
    order = np.array(order)
    plain = folds(groups, codes, positive, 7)
    mixed = folds([groups[k] for k in order], codes[order], positive[order], 7)
    for one, two in zip(plain, mixed, strict=True):
        assert set(one.valid) == set(order[two.valid])
        assert set(one.fit) == set(order[two.fit])
