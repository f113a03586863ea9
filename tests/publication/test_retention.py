"""Which runs may go: against plain Python, for whatever runs there are."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.folders import canonical, text_hash
from hva_ml.publication import current, publish, read
from hva_ml.publication.reading import FORMAT, run_id_of, runs
from hva_ml.publication.retention import remove, retention
from hva_ml.publication.runs import latest_of

FIRST = date(2025, 1, 1)


def run_without_tables(folder: Path, number: int, days: int, version: str = "1") -> str:
    """Write a run that is whole and holds nothing."""
    day = (FIRST + timedelta(days=days)).isoformat()
    identity = {"as_of": day, "model_version": version, "release": f"r{version}", "number": number}
    run_id = run_id_of(identity)
    body = {
        "format": FORMAT, "run_id": run_id, "identity": identity, "sequence": number, "rows": {}, "files": {},
    }  # fmt: skip
    (folder / "runs" / run_id).mkdir(parents=True)
    sealed = {**body, "seal": text_hash(canonical(body))}
    (folder / "runs" / run_id / "manifest.json").write_text(json.dumps(sealed), encoding="utf-8")
    return run_id


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("123")), max_size=12),
    st.integers(1, 14),
    st.booleans(),
    st.sets(st.integers(0, 11), max_size=3),
)
def test_what_goes_is_what_plain_python_says(tmp_path_factory, made, limit, by_days, needed):
    folder = tmp_path_factory.mktemp("runs")
    ids = [run_without_tables(folder, k, days, version) for k, (days, version) in enumerate(made)]
    order = sorted(range(len(made)), key=lambda k: (made[k][0], k))
    young = {k for k in order if made[order[-1]][0] - made[k][0] < limit} if by_days else set(order[-limit:])
    kept = {ids[k] for k in young} | {ids[k] for k in needed if k < len(ids)}
    asked = {"keep_days": limit} if by_days else {"keep": limit}
    found = retention(folder, {ids[k]: "needed" for k in needed if k < len(ids)}, **asked)
    assert [o.run_id for o in found.goes] == [ids[k] for k in order if ids[k] not in kept]
    assert set(found.stays) == kept
    assert found.size == sum(o.size for o in found.goes)
    # Nothing is removed by looking, and exactly that by removing.
    assert {r.run_id for r in runs(folder)} == set(ids)
    for old in found.goes:
        assert old.size == sum(p.stat().st_size for p in old.path.iterdir())
        remove(old)
    assert {p.name for p in (folder / "runs").glob("*")} == kept


def test_damaged_runs_stay_and_those_set_aside_go(tmp_path, make):
    folder = tmp_path / "toy"
    days = ("2025-01-01", "2025-01-02", "2025-01-03")
    made = [publish(folder, [make(k)], {"as_of": d}, expected_rows=40) for k, d in enumerate(days)]
    (made[0].path / "manifest.json").write_text("{}", encoding="utf-8")
    aside = folder / "runs" / ".0123456789abcdef.damaged"
    aside.mkdir()
    (aside / "scores.parquet").write_bytes(b"x" * 1000)
    found = retention(folder, {}, keep=1)
    assert [(o.run_id, o.size) for o in found.goes[1:]] == [("0123456789abcdef", 1000)]
    assert found.goes[0].run_id == made[1].run_id
    assert "cannot be read" in found.stays[made[0].run_id]
    for old in found.goes:
        remove(old)
    assert current(folder).run_id == made[2].run_id
    assert read(folder).num_rows == 40
    assert {p.name for p in (folder / "runs").iterdir()} == {made[0].run_id, made[2].run_id}


@pytest.mark.parametrize("damaged", [(), (3,), (3, 1)])
def test_the_latest_whole_run_of_a_release_is_found(tmp_path, damaged):
    ids = [run_without_tables(tmp_path, k, k, v) for k, v in enumerate("1121")]
    for k in damaged:
        (tmp_path / "runs" / ids[k] / "foreign").write_bytes(b"")
    left = [k for k in (3, 1, 0) if k not in damaged]
    found, passed = latest_of(tmp_path, "1", "r1")
    assert (found.run_id, [r.run_id for r in passed]) == (ids[left[0]], [ids[k] for k in damaged])
    assert latest_of(tmp_path, "1", None)[0].run_id == found.run_id
    assert latest_of(tmp_path, "1", "another") == (None, ())
    assert latest_of(tmp_path, "9", None) == (None, ())
