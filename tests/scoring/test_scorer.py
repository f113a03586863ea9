"""A model that travels gives the same bits in any batches, and knows when it is not itself."""

import pickle

import pyarrow as pa
import pytest

from hva_ml.errors import ContractError, IntegrityError
from hva_ml.scoring.scorer import Scorer


@pytest.fixture(scope="module")
def scorer(bundle):
    return Scorer(bundle)


@pytest.mark.parametrize("at_once", [1, 7, 300])
def test_any_batches_give_the_same_bits_as_the_model(scorer, bundle, rows, at_once: int) -> None:
    told = bundle.predict(rows)
    sent = pickle.loads(pickle.dumps(scorer))  # noqa: S301
    found = pa.Table.from_batches(sent(rows.table.to_batches(max_chunksize=at_once)))
    assert found["account_id"].to_pylist() == rows.table["account_id"].to_pylist()
    assert found["cutoff"].to_pylist() == rows.table["cutoff"].to_pylist()
    for name in ("value_if_converted", "value_low", "value_high", "expected_value", "hva_likelihood"):
        assert found[name].to_numpy().tobytes() == getattr(told, name).tobytes()
    assert found["conversion_probability"].to_numpy().tobytes() == told.probability.tobytes()


def test_columns_are_found_by_name(scorer, rows) -> None:
    names = list(reversed(rows.table.column_names))
    batches = rows.table.select(names).append_column("more", pa.nulls(300)).combine_chunks().to_batches()
    assert next(scorer(batches)).equals(next(scorer(rows.table.combine_chunks().to_batches())))


def test_a_missing_column_is_named(scorer, rows) -> None:
    name = rows.names[0]
    batches = rows.table.rename_columns(
        {name: name + "x"} | {n: n for n in rows.table.column_names if n != name}
    ).to_batches()
    with pytest.raises(ContractError, match=name) as caught:
        next(scorer(batches))
    assert "Did you mean" in caught.value.what


def test_a_model_that_changed_on_the_way_scores_nothing(bundle, rows) -> None:
    changed = Scorer(bundle)
    changed._files = tuple(
        (name, content.replace(b"num_leaves", b"num_leavez") if name == "value.txt" else content)
        for name, content in changed._files
    )
    with pytest.raises(IntegrityError):
        next(changed(rows.table.to_batches()))


def test_no_rows_are_no_batches(scorer) -> None:
    assert list(scorer([])) == []
