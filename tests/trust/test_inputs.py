"""Sources are held to the sha256 beside them; `python -m benchmarks.trust` turns more bits."""

from pathlib import Path

import pytest
from benchmarks.trust.inputs import inputs

from hva_ml.config import Source
from hva_ml.connectors import csv_files, files
from hva_ml.errors import SourceError


def test_no_turned_bit_and_no_cut_is_read_as_other_rows(tmp_path: Path) -> None:
    found = list(inputs(tmp_path, 40))
    assert [t.bad for t in found] == [[]] * 8
    assert all(t.ends["refused"] for t in found)


def test_without_the_hash_a_turned_bit_would_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_hold", lambda *_: None)
    turned, cut, *_ = inputs(tmp_path, 40)
    assert turned.bad
    assert cut.bad


@pytest.mark.parametrize(
    ("beside", "told"), [("0" * 64 + "  x.csv\n", "not the one"), ("", "no sha256"), ("g" * 64, "no sha256")]
)
def test_a_hash_that_does_not_hold_is_loud(tmp_path: Path, beside: str, told: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"id;name\n1;a\n")
    source = Source(kind="csv", path=str(path))
    assert sum(p.num_rows for p in csv_files.pieces(path, source, "x")) == 1
    (tmp_path / "x.csv.sha256").write_text(beside)
    with pytest.raises(SourceError, match=told) as caught:
        list(csv_files.pieces(path, source, "x"))
    assert "sha256sum x.csv > x.csv.sha256" in caught.value.fix
