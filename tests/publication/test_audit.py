import numpy as np
import pyarrow as pa
import pytest

from hva_ml.errors import RefusedError
from hva_ml.publication import audit


def changed(make, table, column, value, row=3):
    tables = make(1)
    values = tables[table][column].to_pylist()
    values[row] = value
    place = tables[table].column_names.index(column)
    array = pa.array(values, tables[table].schema.field(column).type)
    return {**tables, table: tables[table].set_column(place, column, array)}


def test_good_tables_pass(make):
    whole, additive = audit(make(1), 40)
    assert (whole.code, whole.outcome, whole.measured) == ("HVS010", "passed", 40.0)
    assert (additive.code, additive.outcome) == ("HVS011", "passed")
    assert additive.measured <= 1e-15
    assert [r.outcome for r in audit({"scores": make(1)["scores"]}, 40)] == ["passed", "not applicable"]


@pytest.mark.parametrize(
    ("table", "column", "value", "where"),
    [
        ("scores", "conversion_probability", None, "scores.conversion_probability"),
        ("scores", "conversion_probability", float("nan"), "scores.conversion_probability"),
        ("scores", "conversion_probability", 1.0, "scores.conversion_probability"),
        ("scores", "conversion_probability", 0.0, "scores.conversion_probability"),
        ("scores", "value_if_converted", float("inf"), "scores.value_if_converted"),
        ("scores", "value_if_converted", -1.0, "scores.value_if_converted"),
        ("scores", "expected_value", None, "scores.expected_value"),
        ("scores", "expected_value", 1.0, "scores.expected_value"),
        ("scores", "percentile", None, "scores.percentile"),
        ("scores", "account_id", "A000", "scores.account_id"),
        ("scores", "account_id", None, "scores.account_id"),
        ("scores", "rank", 1, "scores.rank"),
        ("scores", "tier", "D", "scores.tier"),
        ("scores", "tier", None, "scores.tier"),
        ("explanations", "account_id", "A999", "explanations"),
        ("explanations", "likelihood.b", 0.25 + 1e-8, "scores.conversion_probability"),
        ("explanations", "value.b", float("nan"), "scores.value_if_converted"),
        ("explanations", "log_base_value", None, "scores.value_if_converted"),
    ],
)
def test_one_wrong_cell_is_refused(make, table, column, value, where):
    with pytest.raises(RefusedError) as caught:
        audit(changed(make, table, column, value), 40)
    assert caught.value.where == where
    assert caught.value.what.startswith("HVS011" if table == "explanations" else "HVS010")
    assert caught.value.exit_code == 3


def test_additivity_may_miss_by_rounding_only(make):
    shift = make(1)["explanations"]["likelihood.b"][3].as_py() + 5e-10
    measured = audit(changed(make, "explanations", "likelihood.b", shift), 40)[1].measured
    assert measured == pytest.approx(5e-10, rel=1e-5)


def test_missing_tables_columns_and_rows_are_refused(make):
    tables = make(1)
    for wrong, expected in (
        ({"explanations": tables["explanations"]}, 40),
        ({"scores": tables["scores"].drop_columns(["tier"])}, 40),
        (tables, 39),
        ({**tables, "scores": tables["scores"].slice(1)}, 40),
        ({**tables, "explanations": tables["explanations"].slice(0, 39)}, 40),
    ):
        with pytest.raises(RefusedError):
            audit(wrong, expected)


def test_at_most_five_accounts_are_named(make):
    tables = make(1)
    place = tables["scores"].column_names.index("value_if_converted")
    wrong = tables["scores"].set_column(place, "value_if_converted", pa.array(np.zeros(40)))
    with pytest.raises(RefusedError, match="40 of 40 rows") as caught:
        audit({"scores": wrong}, 40)
    assert len(caught.value.ids) == 5


def lifetime_of(scores, **changes):
    ids = scores["account_id"].to_pylist()
    columns = {
        "account_id": [i for i in ids for _ in range(2)],
        "from_days": [0, 90] * len(ids),
        "probability": [0.5, 0.4] * len(ids),
        "value_in_window": [10.0, 5.0] * len(ids),
        "value": [10.0, 15.0] * len(ids),
        "survival": [0.7, 0.4] * len(ids),
    }
    for column, value in changes.items():
        columns[column][3] = value
    return pa.table(columns)


def test_windows_that_sum_to_the_lifetime_value_pass(make):
    tables = make(1)
    assert audit({**tables, "lifetime": lifetime_of(tables["scores"])}, 40)
    assert audit({**tables, "lifetime": lifetime_of(tables["scores"]).slice(0, 0)}, 40)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"value": 15.000001}, "lifetime.value"),
        ({"value_in_window": -5.0}, "lifetime.value"),
        ({"value": None}, "lifetime.value"),
        ({"survival": 0.8}, "lifetime.survival"),
        ({"survival": 0.3}, "lifetime.survival"),
        ({"account_id": "another"}, "lifetime.value"),
    ],
)
def test_a_lifetime_value_that_cannot_be_true_is_refused(make, change, where):
    tables = make(1)
    with pytest.raises(RefusedError) as caught:
        audit({**tables, "lifetime": lifetime_of(tables["scores"], **change)}, 40)
    assert caught.value.where == where
