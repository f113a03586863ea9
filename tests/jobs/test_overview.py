"""The overview of a published run: what is told is what was published, and retrainings are compared."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import IntegrityError, UsageError
from hva_ml.jobs.overview import Overview
from hva_ml.jobs.published import Run, open_run, runs_of
from hva_ml.publication import read
from hva_ml.publication.runs import RUNS
from hva_ml.registry.releases import read_release

PIPELINE = "dach_sample"


@pytest.fixture(scope="module")
def found(main_job: Any) -> Overview:
    return hva.overview(main_job.ws, PIPELINE, language="de")


@pytest.mark.slow
def test_topics_are_told_as_often_as_in_the_published_reasons(main_job: Any, found: Overview) -> None:
    scores = read(main_job.ws.scores(PIPELINE), "scores", found.run_id)
    for column, share in (("reasons_positive", "told_for"), ("reasons_negative", "told_against")):
        told: dict[str, int] = {}
        for reasons in scores[column].to_pylist():
            for r in reasons:
                told[r["topic"]] = told.get(r["topic"], 0) + 1
        assert told
        assert {
            r["topic"]: round(r[share] * scores.num_rows)
            for r in found.importance.to_pylist()
            if r[share] > 0
        } == told


@pytest.mark.slow
def test_weights_and_factors_are_those_published(main_job: Any, found: Overview) -> None:
    table = read(main_job.ws.scores(PIPELINE), "explanations", found.run_id).to_pylist()
    factors = {r["account_id"]: r for r in found.factors.to_pylist()}
    assert len(factors) == len(table)
    definitions = read_release(main_job.ws, PIPELINE, "1").definitions
    members = [d.name for d in definitions if (d.topic or d.name) == found.importance["topic"][0].as_py()]
    sizes = []
    for row in table:
        for d in definitions:
            log = row[f"likelihood.{d.name}"] + row[f"value.{d.name}"]
            assert factors[row["account_id"]][d.name] == pytest.approx(math.exp(log), rel=1e-12)
        sizes.append(abs(sum(row[f"{part}.{n}"] for n in members for part in ("likelihood", "value"))))
    assert found.importance["mean_abs_log_factor"][0].as_py() == pytest.approx(np.mean(sizes), rel=1e-9)
    assert found.features["account_id"].to_pylist() == found.factors["account_id"].to_pylist()


@pytest.mark.slow
def test_segments_and_tiers_share_all_accounts(main_job: Any, found: Overview) -> None:
    scores = read(main_job.ws.scores(PIPELINE), "scores", found.run_id)
    n, total = scores.num_rows, sum(scores["expected_value"].to_pylist())
    assert [t.group.name for t in found.tiers] == ["A", "B", "C"]
    assert sum(t.group.n_accounts for t in found.tiers) == n
    assert sum(t.group.share for t in found.tiers) == pytest.approx(1.0)
    assert all(t.text.startswith(f"Stufe {t.group.name}: ") and "_" not in t.text for t in found.tiers)
    table = hva.overview(main_job.ws, PIPELINE, by="country").segments
    assert table is not None
    ones = {r["segment"]: r for r in table.to_pylist()}
    assert {"DE", "AT", "CH"} <= set(ones)
    assert ones["AT"]["segment_label"] == "Austria"
    assert sum(r["n_accounts"] for r in ones.values()) == n
    assert sum(r["expected_value"] for r in ones.values()) == pytest.approx(total)


@pytest.mark.slow
def test_dependence_and_swarm_cover_accounts_in_words(main_job: Any, found: Overview) -> None:
    n, names = found.factors.num_rows, set(found.factors.column_names)
    parts: dict[str, int] = {}
    for r in found.dependence.to_pylist():
        parts[r["feature"]] = parts.get(r["feature"], 0) + r["n_accounts"]
        assert r["range"]
        assert not names & {r["range"], r["label"]}
    assert set(parts.values()) == {n}
    assert 1 <= len(parts) <= 8
    assert not [f for f in parts if f.startswith("season.month")]
    topics = found.swarm["topic"].to_pylist()
    assert len(found.swarm) == len(set(topics)) * min(n, 2000)
    assert all(0 < v < 1 for v in found.swarm["level"].to_pylist() if v is not None)


@pytest.mark.slow
def test_one_release_is_a_real_outcome(main_job: Any, found: Overview) -> None:
    assert (found.retrained.outcome, found.retrained.why_not) == ("not applicable", "one_release")
    assert found.stability.startswith("Nicht anwendbar, denn ")
    same = hva.overview(main_job.ws, PIPELINE, against=found.run_id)
    assert same.retrained.why_not == "same_release"
    assert same.stability.startswith("Not applicable, because ")
    again = hva.overview(main_job.ws, PIPELINE, language="de")
    assert (again.importance.equals(found.importance), again.swarm.equals(found.swarm)) == (True, True)
    assert again.record() == found.record()


@pytest.mark.slow
def test_two_releases_explain_the_same_accounts(two_nights: hva.Workspace) -> None:
    found = hva.overview(two_nights, PIPELINE)
    told = found.retrained
    assert (told.outcome, told.version) == ("measured", "1")
    assert told.stability is not None
    assert 0 < told.stability.n_accounts <= found.factors.num_rows
    assert 0.0 <= told.stability.overlap < 1.0
    assert -1.0 <= told.stability.cosine < 1.0
    # Only the model before this one reads the season: its values are those of its own last run.
    assert told.borrowed > 0
    assert "Dec 31, 2025" in found.stability
    older = hva.overview(two_nights, PIPELINE, run="2025-11-30", against=found.run_id)
    assert (older.retrained.outcome, older.retrained.version) == ("measured", "2")
    assert older.retrained.borrowed == 0
    assert older.retrained.stability is not None
    assert older.retrained.stability.n_accounts == older.factors.num_rows
    same = hva.overview(two_nights, PIPELINE, against=found.run_id)
    assert same.retrained.why_not == "same_release"


@pytest.mark.slow
def test_what_nothing_holds_and_whom_nobody_shares(
    two_nights: hva.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strangers(*args: Any) -> Run:
        run = open_run(*args)
        ids = pa.array([f"other {i}" for i in run.ids])
        place = run.scores.column_names.index("account_id")
        return replace(run, scores=run.scores.set_column(place, "account_id", ids))

    with monkeypatch.context() as patched:
        patched.setattr("hva_ml.jobs.retrained.open_run", strangers)
        assert hva.overview(two_nights, PIPELINE).retrained.why_not == "no_common_accounts"
    shutil.copytree(two_nights.root, tmp_path / "ws")
    ws = hva.Workspace.find(tmp_path / "ws")
    for run in runs_of(ws, PIPELINE, read_release(ws, PIPELINE, "1").release):
        shutil.rmtree(ws.scores(PIPELINE) / RUNS / run)
    found = hva.overview(ws, PIPELINE)
    assert (found.retrained.outcome, found.retrained.why_not) == ("not applicable", "reads_other_data")


@pytest.mark.slow
def test_mistakes_and_damage(main_job: Any, found: Overview) -> None:
    with pytest.raises(UsageError, match="Did you mean 'industry_section'"):
        hva.overview(main_job.ws, PIPELINE, by="industry_sektion")
    with pytest.raises(UsageError, match="no category feature"):
        hva.overview(main_job.ws, PIPELINE, by="firmographic.employees")
    with pytest.raises(UsageError, match="No run is called"):
        hva.overview(main_job.ws, PIPELINE, run="2020-01-01")
    with pytest.raises(UsageError, match="No run is called"):
        hva.overview(main_job.ws, PIPELINE, against="nowhere")
    with pytest.raises(UsageError, match="no sentences"):
        hva.overview(main_job.ws, PIPELINE, language="fr")
    path = main_job.ws.scores(PIPELINE) / RUNS / found.run_id / "explanations.parquet"
    kept = path.read_bytes()
    path.write_bytes(kept[:900] + bytes([kept[900] ^ 1]) + kept[901:])
    try:
        with pytest.raises(IntegrityError):
            hva.overview(main_job.ws, PIPELINE)
    finally:
        path.write_bytes(kept)


@pytest.mark.slow
def test_the_page_and_the_command_speak_without_codes(main_job: Any, found: Overview) -> None:
    page = found.files[0].read_text("utf-8")
    assert not [n for n in found.factors.column_names if "." in n and n in page]
    assert "://" not in page
    assert "<script" not in page
    words = ["overview", PIPELINE, "--root", str(main_job.ws.root)]
    told = CliRunner().invoke(app, [*words, "--lang", "de", "--country", "AT"])
    assert told.exit_code == 0
    assert "Stufe A: " in told.output
    assert "Nicht anwendbar" in told.output
    machine = json.loads(CliRunner().invoke(app, [*words, "--by", "country", "--json"]).stdout)
    assert machine["by"] == "firmographic.country"
    assert machine["stability"]["outcome"] == "not applicable"
    assert {s["segment"] for s in machine["segments"]} >= {"DE", "AT", "CH"}
    assert CliRunner().invoke(app, [*words, "--by", "industrie"]).exit_code == 2
