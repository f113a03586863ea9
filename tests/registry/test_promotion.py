import dataclasses
import json

import pytest

from hva_ml.errors import IntegrityError, RefusedError, UsageError
from hva_ml.registry import promotion, tracking
from hva_ml.registry.gates import GateResult
from hva_ml.registry.releases import champion_release, read_release

HELD = (GateResult("roc_auc", True, "ROC AUC", 0.8, "at least 0.5"),)
FAILED = (*HELD, GateResult("total_ratio", False, "total", 0.5, "between 0.7 and 1.4"))


@pytest.fixture
def source(bundle, tmp_path):
    bundle.write(tmp_path / "bundle")
    return tmp_path / "bundle"


def release(source, ws, version="1", **changes):
    given = {"card": "# Card | ü\n", "gates": HELD, "run_id": "r1"} | changes
    return promotion.release(source, ws.models("toy"), version, **given)


def test_a_release_holds_model_card_and_decision(source, ws, bundle):
    folder = release(source, ws, gates=FAILED, forced="  Messe next week ")
    assert folder == ws.models("toy") / "1"
    assert (folder / "card.md").read_text(encoding="utf-8") == "# Card | ü\n"
    record = promotion.verified(folder)
    assert (record["release"], record["run_id"], record["forced"]) == (
        bundle.release,
        "r1",
        "Messe next week",
    )
    assert record["gates"] == [g.record() for g in FAILED]
    assert {p.name for p in source.iterdir()} | {"card.md", "release.json"} == {
        p.name for p in folder.iterdir()
    }
    assert [p.name for p in ws.models("toy").iterdir()] == ["1"]


def test_a_failed_gate_needs_a_reason(source, ws):
    with pytest.raises(UsageError, match="total_ratio"):
        release(source, ws, gates=FAILED, forced="  ")
    assert not ws.models("toy").exists()


def test_the_same_model_again_changes_nothing(source, ws):
    folder = release(source, ws)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert release(source, ws, card="# Another", run_id="r2") == folder
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_another_model_never_takes_a_version(source, ws, bundle, tmp_path):
    folder = release(source, ws)
    other = dataclasses.replace(bundle, value_log_scale=0.4)
    other.write(tmp_path / "other")
    with pytest.raises(IntegrityError, match="released already"):
        release(tmp_path / "other", ws)
    assert promotion.verified(folder)["release"] == bundle.release


@pytest.mark.parametrize("name", ["card.md", "release.json", "conversion.txt", "manifest.json"])
def test_a_changed_release_is_noticed(source, ws, name):
    folder = release(source, ws)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(IntegrityError):
        promotion.verified(folder)


def test_a_changed_gate_is_noticed(source, ws):
    folder = release(source, ws)
    record = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    record["gates"][0]["measured"] = 0.99
    (folder / "release.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(IntegrityError, match="record has been changed"):
        promotion.verified(folder)


@pytest.mark.parametrize("version", ["", "../2", "a/b", ".hidden", "x" * 64])
def test_a_version_is_a_plain_name(source, ws, version):
    with pytest.raises(UsageError):
        release(source, ws, version)


def test_without_a_champion_the_message_says_what_to_do(ws):
    with pytest.raises(RefusedError, match="hva promote toy"):
        champion_release(ws, "toy")
    assert not ws.mlruns.exists()


def test_files_alone_suffice(source, ws, bundle):
    release(source, ws, "reference")
    promotion.point(ws.models("toy"), "reference")
    version, found = champion_release(ws, "toy")
    assert (version, found.release) == ("reference", bundle.release)


def test_any_released_version_can_be_read(source, ws, bundle):
    release(source, ws, "7")
    assert read_release(ws, "toy", "7").release == bundle.release
    with pytest.raises(IntegrityError, match="missing"):
        read_release(ws, "toy", "8")
    with pytest.raises(UsageError, match="not a version"):
        read_release(ws, "toy", "../toy/7")


def test_a_pointer_leads_only_to_whole_releases(source, ws):
    with pytest.raises(IntegrityError):
        promotion.point(ws.models("toy"), "1")
    folder = release(source, ws)
    promotion.point(ws.models("toy"), "1")
    (folder / "value.txt").unlink()
    with pytest.raises(IntegrityError, match=r"value\.txt"):
        champion_release(ws, "toy")
    (ws.models("toy") / "CHAMPION").write_text("../../etc\n", encoding="utf-8")
    with pytest.raises(IntegrityError, match="not a version"):
        champion_release(ws, "toy")


def test_the_alias_decides_and_its_hash_is_held(source, ws, bundle, monkeypatch):
    release(source, ws, "1")
    promotion.release(source, ws.models("toy"), "2", card="#", gates=HELD, run_id="r2")
    promotion.point(ws.models("toy"), "1")
    monkeypatch.setattr(tracking, "champion_version", lambda *_: "2")
    monkeypatch.setattr(tracking, "release_tag", lambda *_: bundle.release)
    assert champion_release(ws, "toy")[0] == "2"
    monkeypatch.setattr(tracking, "release_tag", lambda *_: "0" * 64)
    with pytest.raises(IntegrityError, match="another model"):
        champion_release(ws, "toy")
    monkeypatch.setattr(tracking, "champion_version", lambda *_: "3")
    with pytest.raises(IntegrityError, match="missing"):
        champion_release(ws, "toy")


def test_a_model_of_another_pipeline_is_not_scored_with(source, ws):
    promotion.release(source, ws.models("tea"), "1", card="#", gates=HELD, run_id="r1")
    promotion.point(ws.models("tea"), "1")
    with pytest.raises(IntegrityError, match="another model"):
        champion_release(ws, "tea")
