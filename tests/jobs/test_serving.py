"""The champion behind MLflow's own server, command and Spark function: the published numbers, bit for bit."""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.servers import PROGRAMS, free_port, running, with_programs

import hva_ml as hva
from hva_ml.publication import read, reading

PIPELINE = "dach_sample"
NUMBERS = (
    "conversion_probability", "probability_low", "probability_high", "value_if_converted", "value_low",
    "value_high", "expected_value", "hva_likelihood",
)  # fmt: skip
REASONS = ("reasons_positive", "reasons_negative")
MODEL = f"models:/{PIPELINE}@champion"


@pytest.fixture(scope="module")
def ws(two_nights: hva.Workspace, tmp_path_factory: pytest.TempPathFactory) -> hva.Workspace:
    """A workspace whose champion has published three nights."""
    root = tmp_path_factory.mktemp("serving") / "ws"
    shutil.copytree(two_nights.root, root)
    ws = hva.Workspace.find(root)
    hva.rollback(ws, PIPELINE, to="1")
    return ws


@pytest.fixture(scope="module")
def nights(ws: hva.Workspace) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Rows of features of all its nights, and what was published of each."""
    folder = ws.scores(PIPELINE)
    runs = [r.run_id for r in reading.runs(folder) if r.identity["model_version"] == "1"]
    features = pa.concat_tables(read(folder, "features", r).sort_by("account_id") for r in runs)
    scores = pa.concat_tables(read(folder, "scores", r).sort_by("account_id") for r in runs)
    return features.drop_columns(["cutoff", "group_id"]), scores.to_pylist()


@pytest.fixture(scope="module")
def environment(ws: hva.Workspace) -> dict[str, str]:
    return {
        **with_programs(os.environ),
        "MLFLOW_TRACKING_URI": ws.tracking_uri,
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


@pytest.fixture(scope="module")
def server(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `mlflow models serve`."""
    port, log = free_port(), tmp_path_factory.mktemp("server") / "log"
    words = ("mlflow", "models", "serve", "-m", MODEL, "--env-manager", "local", "-h", "127.0.0.1")
    with running([*words, "-p", str(port)], environment, log, "Application startup complete"):
        yield f"http://127.0.0.1:{port}/invocations"


def ask(server: str, body: bytes, kind: str = "application/json") -> tuple[int, Any]:
    request = urllib.request.Request(server, body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def split(features: pa.Table) -> dict[str, Any]:
    rows = [list(r.values()) for r in features.to_pylist()]
    return {"dataframe_split": {"columns": features.column_names, "data": rows}}


def test_the_server_gives_the_published_numbers_and_reasons(server: str, nights: Any) -> None:
    features, published = nights
    assert features.num_rows >= 1000
    _, plain = ask(server, json.dumps(split(features)).encode())
    asked = {**split(features), "params": {"reasons": 3}}
    _, told = ask(server, json.dumps(asked).encode())
    assert len(plain["predictions"]) == len(told["predictions"]) == len(published)
    for row, with_reasons, wanted in zip(plain["predictions"], told["predictions"], published, strict=True):
        assert row == {c: wanted[c] for c in NUMBERS}
        assert with_reasons == {c: wanted[c] for c in (*NUMBERS, *REASONS)}


def test_the_server_takes_records_and_csv_too_and_refuses_what_is_wrong(server: str, nights: Any) -> None:
    features, published = nights
    few = features.slice(0, 50)
    wanted = [{c: r[c] for c in NUMBERS} for r in published[:50]]
    bodies = (
        (json.dumps({"dataframe_records": few.to_pylist()}).encode(), "application/json"),
        (few.to_pandas().to_csv(index=False).encode(), "text/csv"),
    )
    for body, kind in bodies:
        assert ask(server, body, kind)[1]["predictions"] == wanted
    wrong = {"dataframe_records": few.to_pylist()[:1], "params": {"reasons": 1, "reference": "wonn"}}
    code, error = ask(server, json.dumps(wrong).encode())
    assert (code, "stack_trace" in error) == (400, False)
    assert "Did you mean 'won'" in error["message"]


def test_the_command_gives_the_published_numbers(
    environment: dict[str, str], nights: Any, tmp_path: Path
) -> None:
    features, published = nights
    (tmp_path / "in.json").write_text(json.dumps(split(features)), encoding="utf-8")
    words = ["models", "predict", "-m", MODEL, "--env-manager", "local", "-t", "json"]
    files = ["-i", str(tmp_path / "in.json"), "-o", str(tmp_path / "out.json")]
    subprocess.run(
        [str(PROGRAMS / "mlflow"), *words, *files], env=environment, check=True, capture_output=True
    )
    told = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["predictions"]
    assert told == [{c: r[c] for c in NUMBERS} for r in published]


REASON = "array<struct<feature string, topic string, factor double, value string, reference string>>"
ON_SPARK = f"""
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, pyarrow.parquet as pq
from pyspark.sql import SparkSession, functions as F
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
frame = spark.read.parquet(sys.argv[1])
kinds = "{", ".join(f"{n} double" for n in NUMBERS)}, {", ".join(f"{n} {REASON}" for n in REASONS)}"
scored = mlflow.pyfunc.spark_udf(
    spark, "{MODEL}", result_type=kinds, env_manager="local", params={{"reasons": 3}}
)
columns = [F.col(f"`{{c}}`") for c in frame.columns if c != "row"]
rows = frame.select("row", scored(F.struct(*columns)).alias("told")).select("row", "told.*").collect()
told = [r.asDict(recursive=True) for r in sorted(rows, key=lambda r: r["row"])]
open(sys.argv[2], "w").write(json.dumps(told))
spark.stop()
"""


@pytest.mark.slow
def test_the_function_of_spark_gives_the_published_numbers_and_reasons(
    spark_here: None, environment: dict[str, str], nights: Any, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    features, published = nights
    few = features.slice(0, 1000)
    pq.write_table(few.append_column("row", pa.array(range(few.num_rows))), tmp_path / "in.parquet")
    # Spark in a process of its own: its workers open the model with the environment of that process.
    subprocess.run(
        [sys.executable, "-c", ON_SPARK, str(tmp_path / "in.parquet"), str(tmp_path / "out.json")],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    told = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [{c: r[c] for c in (*NUMBERS, *REASONS)} for r in told] == [
        {c: r[c] for c in (*NUMBERS, *REASONS)} for r in published[:1000]
    ]
