import dataclasses
import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from hva_ml.calibration import Outlook
from hva_ml.errors import ContractError, IntegrityError
from hva_ml.explanation.references import References
from hva_ml.features.definition import FeatureSet
from hva_ml.folders import bytes_entry, canonical, text_hash
from hva_ml.registry.bundle import Bundle, release_of
from hva_ml.training.booster import Booster
from hva_ml.training.matrix import Encoder

FILES = {
    "conversion.txt",
    "value.txt",
    "high_value.txt",
    "high_value_calibrator.json",
    "encoder.json",
    "calibrator.json",
    "features.json",
    "reference.json",
    "pipeline.toml",
    "metadata.json",
    "manifest.json",
}


@pytest.fixture
def folder(bundle, tmp_path):
    bundle.write(tmp_path / "b")
    return tmp_path / "b"


def test_what_is_read_gives_the_same_bits(bundle, rows, folder):
    again = Bundle.read(folder)
    assert {p.name for p in folder.iterdir()} == FILES
    assert again.release == bundle.release == release_of(folder)
    assert again.config_text == bundle.config_text
    assert again.definitions == bundle.definitions
    assert again.metadata == bundle.metadata
    assert again.value_log_scale == bundle.value_log_scale
    np.testing.assert_array_equal(again.references.matrix, bundle.references.matrix)
    one, two = bundle.predict(rows), again.predict(rows)
    for name in (
        "probability",
        "value_if_converted",
        "value_low",
        "value_high",
        "expected_value",
        "hva_likelihood",
        "X",
    ):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert one.unseen == two.unseen == {"firmographic.industry_section": 60}
    assert bundle.explain(rows).total.tobytes() == again.explain(one.X).total.tobytes()


def test_an_outlook_moves_all_accounts_of_a_day_and_travels(bundle, rows, tmp_path):
    """The number of employees plays the outlook: what the day adds is a feature's value, whatever it is."""
    old, new = "firmographic.employees", "season.outlook"
    definitions = tuple(dataclasses.replace(d, name=new) if d.name == old else d for d in bundle.definitions)
    table = rows.table.rename_columns([new if n == old else n for n in rows.table.column_names])
    seasoned = dataclasses.replace(
        bundle,
        definitions=definitions,
        encoder=Encoder.from_dict(json.loads(json.dumps(bundle.encoder.to_dict()).replace(old, new))),
        conversion=Booster.from_text(bundle.conversion.text.replace(old, new)),
        high_value=None,
        value=Booster.from_text(bundle.value.text.replace(old, new)),
        outlook=Outlook(3, 0.2, 0.001, 0.0, odds=-0.5),
    )
    seasoned.write(tmp_path / "seasoned")
    again = Bundle.read(tmp_path / "seasoned")
    assert again.outlook == seasoned.outlook
    told, plain = again.predict(FeatureSet(table, definitions)), bundle.predict(rows)
    market = seasoned.outlook.market(told.X[:, 3])
    np.testing.assert_allclose(told.value_if_converted, plain.value_if_converted * np.exp(market), rtol=1e-12)
    logit = bundle.calibrator.logit(bundle.conversion.margin(plain.X) + market - 0.5)
    np.testing.assert_allclose(told.probability, expit(logit), rtol=1e-12)
    assert again.explain(told.X).total.shape == told.X.shape
    with pytest.raises(ContractError, match="feature 2 is not the outlook"):
        dataclasses.replace(seasoned, outlook=Outlook(2, 0.0, 1.0, 0.0))
    with pytest.raises(ContractError, match=r"outlook 'season\.outlook_seen'"):
        dataclasses.replace(seasoned, outlook=Outlook(3, 0.0, 1.0, 0.0, seen=2))


def test_a_value_learned_at_once_travels(bundle, rows, tmp_path):
    at_once = dataclasses.replace(bundle, direct=True)
    assert at_once.release != bundle.release
    at_once.write(tmp_path / "once")
    again = Bundle.read(tmp_path / "once")
    assert again.direct
    told = again.predict(rows)
    expected = np.exp(bundle.value.margin(told.X) + bundle.value_log_scale)
    np.testing.assert_allclose(told.expected_value, expected, rtol=1e-12)
    np.testing.assert_allclose(told.value_if_converted, expected / told.probability, rtol=1e-12)


def test_bounds_of_the_value_surround_it(bundle, rows, tmp_path):
    told = bundle.predict(rows)
    assert (told.value_low < told.value_if_converted).all()
    assert (told.value_if_converted < told.value_high).all()
    logs = np.log(told.value_if_converted)
    low, high = bundle.value_spread.bounds(logs)
    np.testing.assert_allclose(told.value_low, low, rtol=1e-12)
    np.testing.assert_allclose(told.value_high, high, rtol=1e-12)
    without = dataclasses.replace(bundle, value_spread=None, high_value=None)
    assert without.release != bundle.release
    without.write(tmp_path / "without")
    again = Bundle.read(tmp_path / "without")
    assert again.value_spread is None
    assert np.isnan(again.predict(rows).value_low).all()
    assert again.high_value is None
    assert np.isnan(again.predict(rows).hva_likelihood).all()
    X = told.X
    high = bundle.high_value
    best = high.calibrator.probability(high.booster.margin(X))
    assert told.hva_likelihood.tolist() == best.tolist()


def test_prediction_is_the_product_of_calibrated_and_scaled_margins(bundle, rows):
    told = bundle.predict(rows)
    X = bundle.encoder.transform(rows)
    np.testing.assert_array_equal(
        told.probability, bundle.calibrator.probability(bundle.conversion.margin(X))
    )
    np.testing.assert_array_equal(
        told.value_if_converted, np.exp(bundle.value.margin(X) + bundle.value_log_scale)
    )
    np.testing.assert_array_equal(told.expected_value, told.probability * told.value_if_converted)


def test_a_row_is_scored_the_same_alone(bundle, rows):
    whole = bundle.predict(rows).expected_value
    for k in (0, 7, 299):
        mask = np.arange(300) == k
        assert bundle.predict(rows.take(mask)).expected_value[0] == whole[k]


def test_writing_again_does_nothing_and_another_model_is_refused(bundle, folder):
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    bundle.write(folder)
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before
    other = dataclasses.replace(bundle, value_log_scale=0.4)
    with pytest.raises(IntegrityError, match="another model"):
        other.write(folder)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_single_bit_anywhere_is_noticed_and_the_file_named(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(IntegrityError) as caught:
        Bundle.read(folder)
    assert str(folder / name) in caught.value.where or name == "manifest.json"


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(IntegrityError, match="missing") as caught:
        Bundle.read(folder)
    assert caught.value.where == str(folder / name)


def test_a_foreign_file_is_refused_unless_announced(bundle, folder):
    (folder / "model.pkl").write_bytes(b"x")
    with pytest.raises(IntegrityError, match="does not belong") as caught:
        Bundle.read(folder)
    assert caught.value.where == str(folder / "model.pkl")
    assert Bundle.read(folder, beside=("model.pkl",)).release == bundle.release


def test_a_manifest_rewritten_to_fit_is_another_release(bundle, folder):
    (folder / "pipeline.toml").write_text("x = 1\n", encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    import hashlib

    manifest["files"]["pipeline.toml"] = {"sha256": hashlib.sha256(b"x = 1\n").hexdigest(), "size": 6}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(IntegrityError, match="manifest"):
        Bundle.read(folder)


def test_parts_of_different_models_are_refused(bundle):
    fewer = bundle.definitions[:-1]
    with pytest.raises(ContractError, match="belong together"):
        dataclasses.replace(bundle, definitions=fewer)
    with pytest.raises(ContractError, match="reference account"):
        dataclasses.replace(bundle, references=References.single(np.zeros(5)))
    with pytest.raises(ContractError, match="encoder"):
        dataclasses.replace(bundle, definitions=tuple(reversed(bundle.definitions)))


def test_the_reference_keeps_unknown_values_and_cannot_be_changed(bundle, tmp_path):
    values = bundle.references.matrix[0].copy()
    values[3] = np.nan
    holed = dataclasses.replace(bundle, references=References.single(values))
    holed.write(tmp_path / "holed")
    np.testing.assert_array_equal(Bundle.read(tmp_path / "holed").references.matrix, values[None, :])
    with pytest.raises(ValueError, match="read-only"):
        holed.references.accounts[0].values[0] = 1.0


def test_unexplained_rows_do_not_exist(bundle, rows):
    explained = bundle.explain(rows)
    told = bundle.predict(rows)
    gap = explained.log_base + explained.total.sum(axis=1) - np.log(told.expected_value)
    assert np.abs(gap).max() < 1e-9
    assert isinstance(rows, FeatureSet)


def test_nothing_is_left_beside_the_folder(folder):
    assert [p.name for p in folder.parent.iterdir()] == ["b"]


@given(st.floats(allow_nan=True, allow_infinity=False))
def test_json_keeps_every_float_exactly(number):
    back = json.loads(canonical({"x": number}))["x"]
    if np.isnan(number):
        assert back is None
    else:
        assert np.float64(back).tobytes() == np.float64(number).tobytes()


def test_a_model_that_an_earlier_version_wrote_in_other_words_keeps_its_release(bundle, tmp_path):
    bundle.write(tmp_path / "now")
    shutil.copytree(tmp_path / "now", tmp_path / "then")
    records = json.loads((tmp_path / "then" / "features.json").read_text(encoding="utf-8"))
    # Fields that came later were not written then.
    written = json.dumps([{k: v for k, v in r.items() if not k.startswith("one_")} for r in records]).encode()
    (tmp_path / "then" / "features.json").write_bytes(written)
    manifest = json.loads((tmp_path / "then" / "manifest.json").read_text(encoding="utf-8"))
    entries = manifest["files"] | {"features.json": bytes_entry(written)}
    release = text_hash(canonical({"format": manifest["format"], "files": entries}))
    record = {**manifest, "files": entries, "release": release}
    (tmp_path / "then" / "manifest.json").write_text(json.dumps(record), encoding="utf-8")
    found = Bundle.read(tmp_path / "then")
    assert found.release == release_of(tmp_path / "then") == release != bundle.release
    assert found.definitions == bundle.definitions
    found.write(tmp_path / "again")
    assert release_of(tmp_path / "again") == bundle.release
