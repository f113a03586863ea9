"""Whom a score is compared with: of one's own segment if there is enough of it, else of all."""

import json

import numpy as np
import pytest

from hva_ml.errors import IntegrityError
from hva_ml.explanation.references import Reference, References, references
from hva_ml.explanation.typical import medoid, typical

KINDS = ("number", "number", "category")
RANDOM = np.random.default_rng(5)
X = np.column_stack(
    [RANDOM.normal(size=900), np.exp(RANDOM.normal(size=900)), RANDOM.choice(3, 900, p=[0.6, 0.38, 0.02])]
)
CONVERTED = (X[:, 0] > 0.8).astype(np.int8)
WORTH = np.exp(X[:, 0])


def made(**changes: object) -> References:
    given = {"converted": CONVERTED, "expected_value": WORTH, "tier_a": 0.5, "column": 2, "least_rows": 50}
    return references(X, KINDS, **{**given, **changes})


def test_each_row_gets_the_account_of_its_segment_or_of_all() -> None:
    found = made()
    for kind in found.kinds:
        which = found.which(X, kind)
        for code in range(3):
            (place,) = np.unique(which[X[:, 2] == code])
            account = found.accounts[place]
            assert account.kind == kind
            mask = (X[:, 2] == code) & ((CONVERTED == 1) | (kind != "won"))
            enough = mask.sum() >= 50 and kind != "threshold"
            assert account.overall is not bool(enough)
            if enough:
                np.testing.assert_array_equal(account.values, typical(X[mask], KINDS))
                assert account.rows == mask.sum()


def test_an_unknown_segment_is_compared_with_all() -> None:
    rows = np.array([[0.0, 1.0, np.nan], [0.0, 1.0, 17.0]])
    found = made()
    assert all(found.accounts[k].overall for k in found.which(rows))


def test_the_threshold_lies_where_tier_a_ends() -> None:
    account = made().overall("threshold")
    order = np.argsort(-WORTH)
    end = int(np.searchsorted(np.cumsum(WORTH[order]), 0.5 * WORTH.sum()))
    np.testing.assert_array_equal(account.values, typical(X[order[end - 25 : end + 25]], KINDS))


def test_the_medoid_is_a_row_and_only_made_when_asked_for() -> None:
    assert "medoid" not in made().kinds
    found = made(kind="medoid")
    assert found.kind == "medoid"
    assert any((found.overall().values == row).all() for row in X)


def test_no_row_is_nearer_to_the_middle_than_the_medoid() -> None:
    few = X[:60]
    home, chosen = typical(few, KINDS), medoid(few, KINDS)

    def far(row: np.ndarray) -> float:
        ranks = [(few[:, j] < row[j]).mean() - (few[:, j] < home[j]).mean() for j in (0, 1)]
        return abs(ranks[0]) + abs(ranks[1]) + float(row[2] != home[2])

    assert far(chosen) == pytest.approx(min(far(row) for row in few))


def test_order_of_rows_changes_nothing_that_is_made_up() -> None:
    mixed = RANDOM.permutation(len(X))
    again = references(
        X[mixed], KINDS, converted=CONVERTED[mixed], expected_value=WORTH[mixed], tier_a=0.5, column=2,
        least_rows=50,
    )  # fmt: skip
    np.testing.assert_array_equal(again.matrix, made().matrix)


def test_what_is_written_is_read_back_and_one_account_keeps_its_old_form() -> None:
    found = made(kind="won")
    text = json.dumps(found.record()).replace("NaN", "null")
    again = References.from_record(json.loads(text))
    np.testing.assert_array_equal(again.matrix, found.matrix)
    assert (again.kind, again.column) == ("won", 2)
    assert [r.rows for r in again.accounts] == [r.rows for r in found.accounts]
    assert References.single(X[0]).record() == {"values": X[0].tolist()}


def test_nobody_converted_leaves_the_typical_account() -> None:
    found = made(converted=np.zeros(len(X), dtype=np.int8), kind="won")
    assert (found.kind, found.kinds) == ("typical", ("typical", "threshold"))


def test_accounts_of_different_models_are_refused() -> None:
    with pytest.raises(IntegrityError, match="reference accounts"):
        References((Reference("typical", np.nan, X[0]), Reference("won", np.nan, X[0, :2])))
