"""What would help, from the published run: frozen features stay, figures are the models' own."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import ConfigError, IntegrityError, RefusedError, UsageError
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.published import current_run, open_run
from hva_ml.publication.reading import RUNS
from hva_ml.registry.bundle import Bundle

PIPELINE = "dach_sample"
SECTION = re.compile(r"^\[explanation\.actionable\]\n(?:.+\n?)*", re.MULTILINE)


def marked(ws: Any, lines: str) -> None:
    """Put other lines under [explanation.actionable]."""
    path = ws.pipelines / f"{PIPELINE}.toml"
    section = f"[explanation.actionable]\n{lines}\n" if lines else ""
    text, n = SECTION.subn(section, path.read_text(encoding="utf-8"))
    assert n == 1
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def ws(main_job: Any, tmp_path: Path) -> hva.Workspace:
    """A copy that may be broken."""
    root = tmp_path / "ws"
    shutil.copytree(main_job.ws.root, root, ignore=shutil.ignore_patterns("mlruns", "training", "raw"))
    (root / "mlruns").mkdir(exist_ok=True)
    return hva.Workspace.find(root)


@pytest.fixture(scope="module")
def answers(main_job: Any) -> list[Any]:
    """What would help each of the best eighty accounts."""
    ids = main_job.scores.table["account_id"].to_pylist()[:80]
    return [hva.advise(main_job.ws, PIPELINE, i, language="de", limit=9) for i in ids]


def test_the_stated_value_is_what_the_release_says_of_the_changed_account(
    main_job: Any, answers: list[Any]
) -> None:
    run = open_run(main_job.ws, PIPELINE, current_run(main_job.ws, PIPELINE))
    allowed = main_job.ws.config(PIPELINE).explanation.actionable
    told = 0
    for answer in answers:
        row = run.features.filter(pc.equal(run.features["account_id"], answer.account_id))
        published = run.scores.filter(pc.equal(run.scores["account_id"], answer.account_id))
        assert answer.expected_value == published["expected_value"][0].as_py()
        for found in answer.advice:
            changed = row
            for m in found.changes:
                assert allowed[m.feature].min <= m.proposed <= allowed[m.feature].max
                place = changed.column_names.index(m.feature)
                now = changed[m.feature][0].as_py()
                assert (now is None and np.isnan(m.now)) or now == m.now
                changed = changed.set_column(place, m.feature, pa.array([m.proposed]))
            (again,) = run.bundle.predict(FeatureSet(changed, run.bundle.definitions)).expected_value
            np.testing.assert_allclose(found.expected_value, again, rtol=1e-12)
            np.testing.assert_allclose(found.factor, again / answer.expected_value, rtol=1e-9)
            assert found.neighbours >= 5
            told += 1
    assert told >= 3


def test_every_answer_has_a_sentence_and_the_note(answers: list[Any]) -> None:
    some, none = ([a for a in answers if bool(a.advice) == has] for has in (True, False))
    assert some
    assert none
    for answer in answers:
        assert "kein Versprechen" in answer.note
        assert answer.title.startswith(f"{answer.account_id} · 31.12.2025 · erwarteter Wert ")
        assert not re.search(r"\b\w+_\w+\b|\bnan\b", " ".join(answer.sentences))
        record = json.loads(json.dumps(answer.record(), allow_nan=False))
        assert [p["text"] for p in record["proposals"]] == [s for s in answer.sentences if answer.advice]
        assert bool(record["text"]) == (not answer.advice)
    assert all("Damit geht ein erwarteter Wert von" in s for a in some for s in a.sentences)
    assert {s.split(" ")[0] for a in none for s in a.sentences} == {"Keine"}


def test_the_limit_keeps_the_best(main_job: Any, answers: list[Any]) -> None:
    many = max(answers, key=lambda a: len(a.advice))
    one = hva.advise(main_job.ws, PIPELINE, many.account_id, limit=1)
    assert one.advice == many.advice[:1]
    assert "this goes with" in one.sentences[0]


def test_the_account_page_shows_the_same_proposals(main_job: Any, answers: list[Any]) -> None:
    some = next(a for a in answers if a.advice)
    page = hva.explain(main_job.ws, PIPELINE, some.account_id, language="de").files[0].read_text("utf-8")
    assert "Was mit einem höheren Wert einhergeht" in page
    assert some.note in page
    for sentence in some.sentences[:3]:
        assert sentence in page


def test_the_command_tells_people_and_machines(main_job: Any, answers: list[Any]) -> None:
    some = next(a for a in answers if a.advice)
    words = ["advise", PIPELINE, some.account_id, "--root", str(main_job.ws.root), "--lang", "de"]
    people = CliRunner().invoke(app, words)
    assert people.exit_code == 0
    assert some.sentences[0] in people.output
    assert some.note in people.output
    machine = json.loads(CliRunner().invoke(app, [*words, "--json", "--limit", "1"]).stdout)
    assert machine["proposals"][0]["text"] == some.sentences[0]
    assert len(machine["proposals"]) == 1


@pytest.mark.parametrize(
    ("lines", "says", "mends"),
    [
        ("", "No feature is marked", "[explanation.actionable]"),
        ('"events.call.count_30" = { min = 0, max = 5 }', "Did you mean 'events.call.count_30d'?", "train"),
        ('"firmographic.country" = { min = 0, max = 5 }', "A category cannot be marked", "number"),
        ('"events.trend_30d" = { min = 0, max = 5 }', "unit 'ratio'", "Mark the counts"),
        ('"fit.icp" = { min = 0, max = 5 }', "unit 'score'", "Mark the counts"),
        ('"season.month_sin" = { min = 0, max = 1 }', "of the family 'season'", "Mark the counts"),
    ],
)
def test_what_cannot_be_actionable_is_named(
    ws: hva.Workspace, main_job: Any, lines: str, says: str, mends: str
) -> None:
    best = main_job.scores.table["account_id"][0].as_py()
    marked(ws, lines)
    with pytest.raises(ConfigError) as error:
        hva.advise(ws, PIPELINE, best)
    assert says in str(error.value)
    assert mends in error.value.fix
    assert PIPELINE in error.value.where
    page = hva.explain(ws, PIPELINE, best).files[0].read_text("utf-8")
    assert "What goes with a higher value" not in page


def test_mistakes_are_named(main_job: Any, ws: hva.Workspace) -> None:
    best = main_job.scores.table["account_id"][0].as_py()
    with pytest.raises(UsageError, match="no published score"):
        hva.advise(main_job.ws, PIPELINE, "../x")
    with pytest.raises(UsageError, match="0 proposals"):
        hva.advise(main_job.ws, PIPELINE, best, limit=0)
    with pytest.raises(UsageError, match="language 'fr'"):
        hva.advise(main_job.ws, PIPELINE, best, language="fr")
    shutil.rmtree(ws.scores(PIPELINE))
    with pytest.raises(RefusedError, match="no published scores"):
        hva.advise(ws, PIPELINE, best)


def test_a_changed_table_or_another_score_is_seen(
    main_job: Any, ws: hva.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = main_job.scores.table["account_id"][0].as_py()
    real = Bundle.outcomes

    def other(bundle: Bundle, X: Any) -> Any:
        probability, value = real(bundle, X)
        return probability, value * 1.001

    monkeypatch.setattr(Bundle, "outcomes", other)
    with pytest.raises(IntegrityError, match="cannot be rebuilt"):
        hva.advise(ws, PIPELINE, best)
    monkeypatch.undo()
    path = ws.scores(PIPELINE) / RUNS / current_run(ws, PIPELINE) / "features.parquet"
    kept = path.read_bytes()
    path.write_bytes(kept[:900] + bytes([kept[900] ^ 1]) + kept[901:])
    with pytest.raises(IntegrityError):
        hva.advise(ws, PIPELINE, best)


def test_what_is_no_longer_marked_no_longer_moves(
    main_job: Any, ws: hva.Workspace, answers: list[Any]
) -> None:
    def moved(found: list[Any]) -> set[str]:
        return {m.feature for f in found for a in f.advice for m in a.changes}

    calls = "events.call.count_30d"
    assert calls in moved(answers)
    before = main_job.ws.config(PIPELINE).explanation.actionable
    kept = [n for n in before if "events.call." not in n]
    marked(ws, "\n".join(f'"{n}" = {{ min = {before[n].min}, max = {before[n].max} }}' for n in kept))
    assert moved([hva.advise(ws, PIPELINE, a.account_id, limit=9) for a in answers]) <= set(kept)
