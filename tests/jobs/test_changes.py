"""What changed between two published runs: every account's change is made of its parts."""

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import IntegrityError, RefusedError, UsageError
from hva_ml.publication import read
from hva_ml.publication.reading import RUNS

PIPELINE = "dach_sample"


def values(table: Any, *names: str) -> list[np.ndarray]:
    return [np.array(table[n].to_pylist(), dtype=float) for n in names]


@pytest.mark.slow
def test_both_factors_lead_from_the_old_score_to_the_new_one(two_nights: hva.Workspace) -> None:
    found = hva.changes(two_nights, PIPELINE)
    before, after, account, model = values(
        found.table, "expected_value_before", "expected_value_after", "account_factor", "model_factor"
    )
    np.testing.assert_allclose(np.log(before * account * model), np.log(after), rtol=0, atol=1e-9)
    published = {
        run: dict(zip(*(t[c].to_pylist() for c in ("account_id", "expected_value")), strict=True))
        for run in (found.before, found.after)
        if (t := read(two_nights.scores(PIPELINE), "scores", run))
    }
    ids = found.table["account_id"].to_pylist()
    np.testing.assert_allclose([published[found.before][i] for i in ids], before, rtol=1e-9)
    np.testing.assert_allclose([published[found.after][i] for i in ids], after, rtol=1e-9)
    parts = np.column_stack(values(found.parts, *found.parts.column_names[1:])).sum(axis=1)
    np.testing.assert_allclose(np.exp(parts), account, rtol=1e-9)
    assert (np.abs(np.log(model)) > 1e-3).any()
    gone = [n for n in found.parts.column_names if n.startswith("season.")]
    assert gone
    assert all((values(found.parts, n)[0] == 0).all() for n in gone)


@pytest.mark.slow
def test_with_one_release_the_model_changes_nothing(two_nights: hva.Workspace) -> None:
    found = hva.changes(two_nights, PIPELINE, before="2025-10-31", after="2025-11-30")
    (model,) = values(found.table, "model_factor")
    assert (model == 1.0).all()
    assert not [m for m in (*found.up, *found.down) if any("New model" in c for c in m.causes)]


@pytest.mark.slow
def test_movers_come_by_money_and_say_why(two_nights: hva.Workspace) -> None:
    found = hva.changes(two_nights, PIPELINE, language="de", limit=5)
    gains = [m.after - m.before for m in found.up]
    losses = [m.after - m.before for m in found.down]
    assert gains == sorted(gains, reverse=True)
    assert losses == sorted(losses)
    assert gains[0] > 0 > losses[0]
    table = {r["account_id"]: r for r in found.table.to_pylist()}
    assert {m.account_id for m in found.moved} == {
        i for i, r in table.items() if r["tier_before"] != r["tier_after"]
    }
    for m in (*found.up, *found.down, *found.moved):
        assert f"{m.tier_before} → {m.tier_after}" in m.text
        assert ", weil: " in m.text
        assert "_" not in m.text
    page = found.files[0].read_text("utf-8")
    assert not [n for n in found.parts.column_names if "." in n and n in page]
    assert "://" not in page
    assert "<script" not in page
    record = json.loads(json.dumps(found.record()))
    assert record["up"][0]["account_id"] == found.up[0].account_id


@pytest.mark.slow
def test_one_account_and_mistakes(two_nights: hva.Workspace, main_job: Any) -> None:
    best = main_job.scores.table["account_id"][0].as_py()
    found = hva.changes(two_nights, PIPELINE, account=best)
    assert {m.account_id for m in (*found.up, *found.down, *found.moved)} <= {best}
    assert found.files == ()
    with pytest.raises(UsageError, match="not in both runs"):
        hva.changes(two_nights, PIPELINE, account="../x")
    with pytest.raises(UsageError, match="No run is called"):
        hva.changes(two_nights, PIPELINE, before="2020-01-01")
    with pytest.raises(RefusedError, match="no earlier run"):
        hva.changes(main_job.ws, PIPELINE)
    again = hva.changes(two_nights, PIPELINE)
    assert again.table.equals(hva.changes(two_nights, PIPELINE).table)


@pytest.mark.slow
def test_a_changed_table_is_seen(two_nights: hva.Workspace) -> None:
    run = hva.changes(two_nights, PIPELINE).before
    path = two_nights.scores(PIPELINE) / RUNS / run / "features.parquet"
    kept = path.read_bytes()
    path.write_bytes(kept[:900] + bytes([kept[900] ^ 1]) + kept[901:])
    with pytest.raises(IntegrityError):
        hva.changes(two_nights, PIPELINE)
    path.write_bytes(kept)


@pytest.mark.slow
def test_the_command_tells_people_and_machines(two_nights: hva.Workspace) -> None:
    words = ["changes", PIPELINE, "--root", str(two_nights.root), "--lang", "de"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0
    assert "Die größten Aufsteiger" in told.output
    machine = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert machine["accounts"] > 100
    assert CliRunner().invoke(app, [*words, "--to", "nowhere"]).exit_code == 2
