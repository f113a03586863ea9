import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.errors import ContractError, IntegrityError, NotEnoughDataError
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.training.matrix import Encoder


def feature_set(**columns: list) -> FeatureSet:
    definitions, arrays = [], {}
    for name, values in columns.items():
        category = name.startswith("c_")
        definitions.append(
            FeatureDefinition(
                name,
                "firmographic",
                "category" if category else "number",
                "accounts",
                "attribute",
                "category" if category else "number",
                name,
                name,
            )
        )
        arrays[name] = pa.array(values, pa.string() if category else pa.float64())
    n = len(next(iter(columns.values())))
    index = {
        "account_id": pa.array([f"A{k}" for k in range(n)]),
        "cutoff": pa.array([0] * n, pa.timestamp("us", "UTC")),
        "group_id": pa.array([f"A{k}" for k in range(n)]),
    }
    return FeatureSet(pa.table({**index, **arrays}), tuple(definitions))


TRAIN = feature_set(
    c_industry=["C", "G", "G", "J", "J", None],
    c_country=["DE", "AT", "DE", "CH", "DE", "AT"],
    employees=[10.0, None, 30.0, 40.0, 50.0, 60.0],
    visits=[0.0, 1.0, 2.0, 3.0, 4.0, 100.0],
)


def test_codes_follow_frequency_then_name():
    encoder = Encoder.fit(TRAIN)
    assert encoder.names == ("c_industry", "c_country", "employees", "visits")
    matrix = encoder.transform(TRAIN)
    np.testing.assert_array_equal(matrix[:, 0], [2, 0, 0, 1, 1, np.nan])
    np.testing.assert_array_equal(matrix[:, 1], [0, 1, 0, 2, 0, 1])
    np.testing.assert_array_equal(matrix[:, 2], [10, np.nan, 30, 40, 50, 60])
    assert encoder.decode("c_industry", 2.0) == "C"
    assert encoder.decode("c_industry", 3.0) is None
    assert encoder.decode("c_industry", float("nan")) is None
    assert encoder.decode("visits", 3.0) is None
    with pytest.raises(KeyError):
        encoder.decode("nothing", 0)


def test_unseen_and_null_values_later():
    encoder = Encoder.fit(TRAIN)
    later = feature_set(
        visits=[None, 7.0],
        employees=[None, 1.0],
        c_country=["FR", None],
        c_industry=["Z", None],
        extra=[1.0, 2.0],
    )
    np.testing.assert_array_equal(encoder.transform(later), [[3, 3, np.nan, 2.5], [np.nan, 3, 1, 7]])
    assert encoder.unseen(later) == {"c_country": 1, "c_industry": 1}
    assert encoder.unseen(TRAIN) == {}


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "ä", "", None]), st.none() | st.floats(-1e9, 1e9)), min_size=1
    ),
    st.randoms(),
)
def test_encoding_knows_no_row_order_and_survives_json(rows, random):
    features = feature_set(c=[None] * len(rows), c_x=[r[0] for r in rows], x=[r[1] for r in rows])
    encoder = Encoder.fit(features)
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = FeatureSet(features.table.take(pa.array(order)), features.definitions)
    assert Encoder.fit(shuffled) == encoder
    again = Encoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert again == encoder
    np.testing.assert_array_equal(again.transform(shuffled), encoder.transform(features)[order])
    codes = encoder.transform(features)[:, 1]
    assert [encoder.decode("c_x", c) for c in codes] == [r[0] for r in rows]


def test_dictionary_and_chunked_columns_encode_alike():
    chunked = pa.concat_tables([TRAIN.table.slice(0, 2), TRAIN.table.slice(2)])
    coded = chunked.set_column(3, "c_industry", chunked["c_industry"].dictionary_encode())
    encoder = Encoder.fit(TRAIN)
    other = FeatureSet(coded, TRAIN.definitions)
    np.testing.assert_array_equal(encoder.transform(other), encoder.transform(TRAIN))
    assert Encoder.fit(other) == encoder


def test_no_rows_transform_to_an_empty_matrix():
    empty = TRAIN.take(np.zeros(6, dtype=bool))
    assert Encoder.fit(TRAIN).transform(empty).shape == (0, 4)
    with pytest.raises(NotEnoughDataError):
        Encoder.fit(empty)


def test_a_missing_or_changed_feature_is_named():
    encoder = Encoder.fit(TRAIN)
    with pytest.raises(ContractError, match="Did you mean 'c_industri'"):
        encoder.transform(feature_set(c_industri=["C"], c_country=["DE"], employees=[1.0], visits=[1.0]))
    swapped = feature_set(employees=[1.0])
    table = swapped.table.rename_columns(["account_id", "cutoff", "group_id", "c_industry"])
    definition = FeatureDefinition(**{**swapped.definitions[0].record(), "name": "c_industry"})
    with pytest.raises(ContractError, match="is a number now and was a category"):
        encoder.transform(FeatureSet(table, (definition,)))


def test_infinite_numbers_are_refused():
    with pytest.raises(ContractError, match="infinite"):
        Encoder.fit(feature_set(ratio=[1.0, float("inf")]))


@pytest.mark.parametrize("record", [{}, {"columns": [{"name": "x"}]}, {"columns": 3}, {"columns": [
    {"name": "x", "kind": "text", "categories": [], "fill": None}]}])  # fmt: skip
def test_a_broken_record_is_an_integrity_error(record):
    with pytest.raises(IntegrityError):
        Encoder.from_dict(record)
