"""The champion behind `mlflow models serve`: rows a second, and every answer held to the published run.

`python -m benchmarks.serving [--size small|full] [--repeats N] [--json FILE]`: the simulated vendor is
trained, promoted and scored in a workspace of its own, then 1,000 rows (full: 10,000, too) are asked for from
the real server, without and with three reasons for each direction.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.servers import free_port, running, with_programs

import hva_ml as hva
from benchmarks.results import tell
from hva_ml.publication import read

PIPELINE = "dach_sample"
ROWS = {"small": (1, 1_000), "full": (1, 1_000, 10_000)}
NUMBERS = (
    "conversion_probability", "probability_low", "probability_high", "value_if_converted", "value_low",
    "value_high", "expected_value", "hva_likelihood",
)  # fmt: skip
REASONS = ("reasons_positive", "reasons_negative")


def published(root: Path) -> tuple[hva.Workspace, list[str], list[list[Any]], list[dict[str, Any]]]:
    """Return a workspace, the columns and rows of its features, and what was published of each row."""
    ws, _ = hva.init(root)
    hva.promote(hva.train(ws, PIPELINE), force="a benchmark")
    hva.score(ws, PIPELINE, as_of="2025-12-31")
    folder = ws.scores(PIPELINE)
    features = read(folder, "features").sort_by("account_id").drop_columns(["cutoff", "group_id"])
    rows = [list(row.values()) for row in features.to_pylist()]
    return ws, features.column_names, rows, read(folder, "scores").sort_by("account_id").to_pylist()


def ask(url: str, body: bytes) -> tuple[float, list[dict[str, Any]]]:
    """Return the seconds of one request, and its answer."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    began = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        told = json.loads(answer.read())["predictions"]
    return time.perf_counter() - began, told


def differences(told: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> int:
    """Count what is not as published; reasons only where they were asked for."""
    shown = (*NUMBERS, *REASONS) if REASONS[0] in told[0] else NUMBERS
    return sum(t[c] != w[c] for t, w in zip(told, wanted, strict=True) for c in shown)


def measure(
    url: str,
    columns: list[str],
    features: list[list[Any]],
    scores: list[dict[str, Any]],
    n: int,
    reasons: int,
    repeats: int,
) -> dict[str, Any]:
    """Ask for so many rows again and again; return one row of the table."""
    places = [k % len(features) for k in range(n)]
    split = {"columns": columns, "data": [features[k] for k in places]}
    body = json.dumps({"dataframe_split": split, "params": {"reasons": reasons}}).encode()
    answers = [ask(url, body) for _ in range(repeats)]
    took = statistics.median(seconds for seconds, _ in answers)
    wanted = [scores[k] for k in places]
    return {
        "case": f"{n:,} rows{', three reasons for each direction' if reasons else ''}",
        "seconds": round(took, 4),
        "rows/s": round(n / took),
        "differences": sum(differences(told, wanted) for _, told in answers),
    }


def main() -> None:
    """Measure, print, and write the same as JSON."""
    parser = argparse.ArgumentParser(description="The champion behind MLflow's server.")
    parser.add_argument("--size", choices=list(ROWS), default="small")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hva-serving-") as name:
        ws, columns, features, scores = published(Path(name) / "ws")
        port = free_port()
        words = ["mlflow", "models", "serve", "-m", f"models:/{PIPELINE}@champion", "--env-manager", "local"]
        environment = {**with_programs(os.environ), "MLFLOW_TRACKING_URI": ws.tracking_uri}
        with running(
            [*words, "-h", "127.0.0.1", "-p", str(port)], environment, Path(name) / "log",
            "Application startup complete",
        ):  # fmt: skip
            url = f"http://127.0.0.1:{port}/invocations"
            found = [
                measure(url, columns, features, scores, n, reasons, asked.repeats)
                for n in ROWS[asked.size]
                for reasons in (0, 3)
            ]
    tell("serving", found, asked.json, size=asked.size)


if __name__ == "__main__":
    main()
