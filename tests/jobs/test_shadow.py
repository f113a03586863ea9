"""A challenger beside the champion: the same rows, the challenger's own numbers, nothing published."""

import hashlib
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import UsageError
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.published import find_run, open_run
from hva_ml.registry.releases import read_release

PIPELINE = "dach_sample"


def test_the_challenger_says_what_it_would_have_published(two_nights: hva.Workspace) -> None:
    # An earlier night was scored by the first model; the second one reads fewer features than it.
    night = open_run(two_nights, PIPELINE, find_run(two_nights, PIPELINE, "2025-11-30"))
    latest = hva.compare(two_nights, PIPELINE)[0]["version"]
    assert latest != night.scores["model_version"][0].as_py()
    before = {p: p.stat().st_mtime_ns for p in two_nights.scores(PIPELINE).glob("runs/**/*")}
    pointer = (two_nights.scores(PIPELINE) / "CURRENT").read_bytes()
    found = hva.shadow(two_nights, PIPELINE, night="2025-11-30")
    bundle = read_release(two_nights, PIPELINE, str(latest))
    told = bundle.predict(FeatureSet(night.features, bundle.definitions))
    table = found.table
    assert table["challenger_conversion_probability"].to_numpy().tolist() == told.probability.tolist()
    assert table["challenger_value_if_converted"].to_numpy().tolist() == told.value_if_converted.tolist()
    for name in ("expected_value", "tier", "rank"):
        assert table[f"champion_{name}"].to_pylist() == night.scores[name].to_pylist()
    pairs = Counter(
        zip(table["champion_tier"].to_pylist(), table["challenger_tier"].to_pylist(), strict=True)
    )
    counted = {(r["tier_champion"], r["tier_challenger"]): r["accounts"] for r in found.migration.to_pylist()}
    assert {k: n for k, n in counted.items() if n} == dict(pairs)
    one, two = (table[f"{m}_expected_value"].to_numpy() for m in ("champion", "challenger"))
    assert found.rank_correlation == pytest.approx(spearmanr(one, two).statistic)
    best = [
        set(np.flatnonzero(table[f"{m}_rank"].to_numpy() <= found.top)) for m in ("champion", "challenger")
    ]
    assert found.overlap == len(best[0] & best[1]) / found.top
    assert (found.total_champion, found.total_challenger) == (
        pytest.approx(one.sum()),
        pytest.approx(two.sum()),
    )
    assert {p: p.stat().st_mtime_ns for p in two_nights.scores(PIPELINE).glob("runs/**/*")} == before
    assert (two_nights.scores(PIPELINE) / "CURRENT").read_bytes() == pointer
    page = found.report.read_text(encoding="utf-8")
    assert "Who changes tier" in page
    assert "Challenger: " in page
    assert json.dumps(found.record())
    again = hva.shadow(two_nights, PIPELINE, night="2025-11-30")
    assert (
        hashlib.sha256(again.path.read_bytes()).digest() == hashlib.sha256(found.path.read_bytes()).digest()
    )


def test_the_champion_is_no_challenger_of_itself(main_job: Any) -> None:
    with pytest.raises(UsageError, match="is the model that scored this night"):
        hva.shadow(main_job.ws, PIPELINE)
    with pytest.raises(UsageError, match="no run 'nobody'"):
        hva.shadow(main_job.ws, PIPELINE, challenger="nobody")


def test_a_night_without_the_features_of_the_challenger_is_refused(two_nights: hva.Workspace) -> None:
    first = min(str(r["version"]) for r in hva.compare(two_nights, PIPELINE))
    with pytest.raises(UsageError, match=r"reads 'season\.\w+', which this night does not hold"):
        hva.shadow(two_nights, PIPELINE, challenger=first)


def test_the_command_shows_it(two_nights: hva.Workspace) -> None:
    arguments = ["shadow", PIPELINE, "--night", "2025-11-30", "--root", str(two_nights.root)]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "Rank correlation" in shown.output
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    assert told["as_of"] == "2025-11-30"
