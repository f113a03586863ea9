"""The page of a score run: order, tiers, curve, links."""

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.errors import HvaError
from hva_ml.reports import scores
from hva_ml.reports.language import Tongue


def test_the_best_accounts_come_first_whatever_the_order_of_the_rows(
    views: Any, read: Callable[[str], Any]
) -> None:
    rows = views.rows()
    page = scores.html(views.scores(rows), language="de", top=10)
    assert page == scores.html(views.scores(list(reversed(rows))), language="de", top=10)
    text = read(page).text
    places = [text.index(f"Firma {k} ") for k in range(10)]
    assert places == sorted(places)
    assert "Firma 10 " not in text
    assert "Die besten 10 von 40 Accounts" in text


def test_only_accounts_with_a_page_are_linked_and_only_inside_the_folder(
    views: Any, read: Callable[[str], Any]
) -> None:
    links = {"A000000": "accounts/A 0.html", "A000001": "https://evil.example/x", "A000002": "javascript:x",
             "A000003": "../../secret"}  # fmt: skip
    page = read(scores.html(views.scores(links=links)))
    assert [a["href"] for a in page.all("a")] == ["accounts/A%200.html", "javascript%3Ax"]


@pytest.mark.parametrize("evil", ["<script>x</script>", '"><img onerror=x>', "\u202eabc", "=cmd()"])
def test_hostile_names_stay_text(evil: str, views: Any, read: Callable[[str], Any]) -> None:
    rows = [
        {**row, "name": evil, "main_reason": evil, "account_id": f"{evil}{row['rank']}"}
        for row in views.rows(3)
    ]
    html = scores.html(views.scores(rows, title=evil, run_id=evil))
    clean = read(scores.html(views.scores(views.rows(3))))
    assert [t for t, _ in read(html).elements] == [t for t, _ in clean.elements]
    assert "\u202e" not in html


def test_counts_and_sums_of_tiers(views: Any) -> None:
    rows = views.rows()
    _, tiers = scores.pareto_curve(rows)
    assert [t["tier"] for t in tiers] == ["A", "B", "C"]
    assert sum(t["in_tier"] for t in tiers) == len(rows)
    assert sum(t["own_share"] for t in tiers) == pytest.approx(1.0)
    assert tiers[-1]["accounts"] == len(rows)
    for tier in tiers:
        mine = [r["expected_value"] for r in rows if r["tier"] == tier["tier"]]
        assert tier["value"] == pytest.approx(sum(mine))


@given(st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from("ABC")), min_size=1, max_size=700))
def test_the_curve_rises_from_nothing_to_everything(drawn: list[tuple[float, str]]) -> None:
    rows: list[dict[str, Any]] = [{"expected_value": v, "tier": t} for v, t in drawn]
    points, tiers = scores.pareto_curve(rows)
    if sum(v for v, _ in drawn) <= 0:
        assert (points, tiers) == ([], [])
        return
    assert (points[0]["share_accounts"], points[0]["share_value"]) == (0.0, 0.0)
    assert points[-1]["share_accounts"] == 1.0
    assert points[-1]["share_value"] == pytest.approx(1.0)
    for before, after in pairwise(points):
        assert after["share_accounts"] >= before["share_accounts"]
        assert after["share_value"] >= before["share_value"]
    assert len(points) <= 2 * scores.CURVE_POINTS + 10


def test_a_run_without_value_has_a_page_without_curve(views: Any) -> None:
    rows = [{**r, "expected_value": 0.0, "value_if_converted": 0.0} for r in views.rows(3)]
    assert "<svg" not in scores.html(views.scores(rows))


def test_a_missing_column_is_named(views: Any) -> None:
    table = views.scores().table.drop_columns(["tier"])
    with pytest.raises(HvaError, match="no column tier"):
        scores.html(views.scores(table=table))


def test_names_and_reasons_are_optional(views: Any) -> None:
    table = views.scores().table.drop_columns(["name", "main_reason"])
    assert "A000000" in scores.html(views.scores(table=table))


def test_the_file_is_the_page(views: Any, tmp_path: Path) -> None:
    path = scores.write(views.scores(), tmp_path / "scores.html", language="de", country="CH")
    assert path.read_text("utf-8") == scores.html(views.scores(), language="de", country="CH")
    assert Tongue("de", "CH").money(1000.0, "EUR") in path.read_text("utf-8")


def test_a_page_tells_its_state_and_the_same_page_written_stale_is_the_same(
    views: Any, tmp_path: Path
) -> None:
    fresh, told = tmp_path / "fresh.html", tmp_path / "stale.html"
    scores.write(views.scores(), fresh)
    scores.write(views.scores(stale=True, missing=date(2026, 1, 2)), told)
    before = fresh.read_bytes()
    assert scores.restate(fresh, "3fa9c1", stale=True, missing=date(2026, 1, 2))
    assert fresh.read_bytes() == told.read_bytes() != before
    assert "no valid scores as of Jan 2, 2026" in fresh.read_text(encoding="utf-8")
    assert scores.restate(fresh, "3fa9c1", stale=True, missing=None)
    assert "no longer hold" in fresh.read_text(encoding="utf-8")
    assert scores.restate(fresh, "3fa9c1", stale=False, missing=None)
    assert fresh.read_bytes() == before


def test_a_page_of_another_run_or_none_is_left_as_it_is(views: Any, tmp_path: Path) -> None:
    path = scores.write(views.scores(), tmp_path / "scores.html")
    before = path.read_bytes()
    assert not scores.restate(path, "0000000000000000", stale=True, missing=None)
    assert path.read_bytes() == before
    assert not scores.restate(tmp_path / "nothing.html", "3fa9c1", stale=True, missing=None)
    path.write_text("3fa9c1 without its marks", encoding="utf-8")
    assert not scores.restate(path, "3fa9c1", stale=True, missing=None)


def test_the_page_before_comes_back_as_it_was(views: Any, tmp_path: Path) -> None:
    path = scores.write(views.scores(run_id="0123456789abcdef"), tmp_path / "scores.html")
    before = path.read_bytes()
    scores.write(views.scores(run_id="fedcba9876543210"), path)
    after = path.read_bytes()
    for run_id, content in (("0123456789abcdef", before), ("fedcba9876543210", after)) * 2:
        assert scores.restate(path, run_id, stale=False, missing=None)
        assert path.read_bytes() == content
    scores.write(views.scores(run_id="fedcba9876543210"), path)
    assert len(list(tmp_path.iterdir())) == 2
    assert scores.restate(path, "0123456789abcdef", stale=True, missing=None)
    assert path.read_bytes() != before
