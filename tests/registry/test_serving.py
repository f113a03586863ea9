import os

import numpy as np
import pytest

from hva_ml.errors import IntegrityError
from hva_ml.registry import connection, tracking
from hva_ml.registry.bundle import NUMBERS, Bundle
from hva_ml.workspace import Workspace

COLUMNS = [name for name, _ in NUMBERS]


@pytest.fixture(scope="module")
def served(tmp_path_factory, bundle):
    before = os.environ.pop("MLFLOW_TRACKING_URI", None)
    ws = Workspace(tmp_path_factory.mktemp("served"))
    bundle.write(ws.root / "bundle")
    tracking.log_run(
        ws, "toy", name="toy", params={}, metrics={}, tags={}, artifacts={}, bundle_folder=ws.root / "bundle"
    )
    with connection.connected(ws) as (mlflow, _):
        assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
        model = mlflow.pyfunc.load_model("models:/toy@challenger")
    yield model
    if before is not None:
        os.environ["MLFLOW_TRACKING_URI"] = before


@pytest.fixture(scope="module")
def logged(served, tmp_path_factory):
    """The folder that MLflow keeps of the model."""
    found = tmp_path_factory.getbasetemp().glob("served*/mlruns/artifacts/models/*/artifacts/MLmodel")
    return next(iter(found)).parent


@pytest.fixture
def frame(rows):
    return rows.table.drop_columns(["cutoff", "group_id"]).to_pandas()


def test_served_and_nightly_numbers_are_the_same_bits(served, bundle, rows, frame):
    out = served.predict(frame)
    told = bundle.predict(rows)
    assert list(out.columns) == COLUMNS
    for column, name in NUMBERS:
        ours = getattr(told, name)
        assert out[column].to_numpy().tobytes() == ours.tobytes()


def test_index_and_order_of_columns_do_not_matter(served, frame):
    mixed = frame[sorted(frame.columns, reverse=True)].set_index(frame["account_id"], drop=False)[::-1]
    out = served.predict(mixed)
    assert list(out.index) == list(frame["account_id"][::-1])
    np.testing.assert_array_equal(out.to_numpy()[::-1], served.predict(frame).to_numpy())


def test_missing_columns_are_unknown_values(served, frame):
    empty = frame.assign(**{"firmographic.employees": np.nan})
    without = frame.drop(columns=["firmographic.employees", "account_id"])
    np.testing.assert_array_equal(served.predict(without).to_numpy(), served.predict(empty).to_numpy())
    assert not np.array_equal(served.predict(frame).to_numpy(), served.predict(empty).to_numpy())


@pytest.mark.parametrize("column", ["invoices.amount.sum_365d", "firmographic.industry_section"])
def test_the_signature_is_enforced(served, frame, column):
    from mlflow.exceptions import MlflowException

    wrong = frame.assign(**{column: "viel" if column.startswith("invoices") else 3.5})
    with pytest.raises(MlflowException, match="enforce schema"):
        served.predict(wrong)


def test_signature_names_every_feature_as_optional(served, bundle):
    inputs = {c.name: (c.type.name, c.required) for c in served.metadata.get_input_schema()}
    assert inputs.pop("account_id") == ("string", False)
    assert inputs == {
        d.name: ("double" if d.kind == "number" else "string", False) for d in bundle.definitions
    }
    assert [c.name for c in served.metadata.get_output_schema()] == COLUMNS


def test_reasons_come_on_request_as_they_are_published(served, bundle, rows, frame):
    from hva_ml.explanation.factors import strongest

    told = bundle.predict(rows)
    total = bundle.explain(rows).total
    decoded = [bundle.decoded(r.values) for r in bundle.references.accounts]
    up, down = strongest(rows, decoded, bundle.references.which(told.X), total, 2)
    out = served.predict(frame, params={"reasons": 2})
    assert list(out.columns) == [*COLUMNS, "reasons_positive", "reasons_negative"]
    assert out["reasons_positive"].tolist() == up.to_pylist()
    assert out["reasons_negative"].tolist() == down.to_pylist()
    assert any(out["reasons_positive"].map(len) == 2)
    np.testing.assert_array_equal(out[COLUMNS].to_numpy(), served.predict(frame).to_numpy())


def test_a_reference_account_that_is_not_there_is_told_with_those_that_are(served, frame):
    from mlflow.exceptions import MlflowException

    told = served.predict(frame, params={"reasons": 2, "reference": "typical"})
    assert told.equals(served.predict(frame, params={"reasons": 2}))
    with pytest.raises(MlflowException, match=r"of the kind 'typicla'. Did you mean 'typical'"):
        served.predict(frame, params={"reasons": 2, "reference": "typicla"})


def test_what_is_logged_is_plain_files_without_a_row_and_says_what_it_needs(logged, rows):
    names = {p.name for p in logged.rglob("*") if p.is_file()}
    assert not [
        n for n in names if n.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle", ".parquet", ".csv"))
    ]
    assert "input_example.json" not in names
    for file in logged.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            # Protocols 2 and later begin so.
            assert not content.startswith(b"\x80")
            assert b"A00000" not in content
    asked = (logged / "requirements.txt").read_text(encoding="utf-8").split()
    assert [r.split("==")[0] for r in asked] == list(tracking.REQUIREMENTS)
    assert all("==" in r for r in asked)


def test_the_model_needs_no_pickle_and_no_example(served):
    flavor = served.metadata.flavors["python_function"]
    assert flavor["loader_module"] == "mlflow.pyfunc.loaders.code_model"
    assert served.metadata.saved_input_example_info is None
    assert "python_model" not in flavor


def test_a_changed_bundle_is_not_served(bundle, tmp_path):
    bundle.write(tmp_path / "b")
    (tmp_path / "b" / "value.txt").write_text("tree\n", encoding="utf-8")
    with pytest.raises(IntegrityError, match=r"has been changed"):
        Bundle.read(tmp_path / "b")
