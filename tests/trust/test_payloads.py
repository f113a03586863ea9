"""Texts of a source are texts in every output; `python -m benchmarks.trust --only payloads` tries all."""

from pathlib import Path

import pytest
from benchmarks.trust import readers
from benchmarks.trust.payloads import payloads
from benchmarks.trust.sizes import released
from benchmarks.trust.texts import TEXTS

import hva_ml as hva

PAGE = "<!doctype html><title>{0}</title><p class='x'>{0}</p>"


def test_readers_see_what_a_text_does() -> None:
    plain, nothing = readers.shape(PAGE.format("a name"))
    assert nothing == []
    injected = [t for t in TEXTS if readers.shape(PAGE.format(t))[0] != plain]
    assert len(injected) >= 6
    assert readers.raw("a\n") == []
    assert readers.raw("\x1b[1mbold\x1b[0m", colours=True) == []
    assert {c for t in TEXTS for c in readers.raw(t, colours=True)} >= {
        "U+001B",
        "U+000D",
        "U+009B",
        "U+202E",
    }
    assert readers.forged("x\nFORGED", "FORGED") == ["FORGED"]


@pytest.mark.skipif(readers.browser() is None, reason="no Chromium is here")
def test_a_browser_would_tell(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE.format("a &amp; b"), encoding="utf-8")
    assert readers.visits(page, tmp_path) == []
    page.write_text(PAGE.format("a") + "<script>console.log(1)</script><img src=http://192.0.2.1/x.png>")
    said, asked = readers.visits(page, tmp_path)
    assert "CONSOLE" in said
    assert asked == "http://192.0.2.1/x.png"


@pytest.mark.slow
def test_no_text_is_more_than_a_text(base: hva.Workspace, tmp_path: Path) -> None:
    (tally,) = payloads(released(base), tmp_path / "payloads", every=False)
    assert tally.bad == []
    assert set(tally.ends) == {
        "texts without commands or forged lines", "JSON with the same numbers", "pages with the same tags",
        "run with the same scores", "log with the same lines", "metrics with the same names",
        "tables of sinks as published", "sinks with nothing but their tables", "alerts with the same markup",
    }  # fmt: skip
