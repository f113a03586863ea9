"""What a seller reads of lifetime value: terminal, account page, pages of a night; quiet for all others."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import IntegrityError
from hva_ml.explanation.paragraph import amount, likelihood
from hva_ml.explanation.reader import Reader
from hva_ml.jobs.explain import explain
from hva_ml.publication import current, read

PIPELINE = "dach_sample"


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory, small_workspace: Callable[[Path], hva.Workspace]
) -> hva.Workspace:
    ws = small_workspace(tmp_path_factory.mktemp("sellers"))
    file = ws.pipelines / f"{PIPELINE}.toml"
    text = file.read_text(encoding="utf-8") + "\n[lifetime]\ndays = [90, 180]\ndiscount_per_year = 0.1\n"
    file.write_text(text, encoding="utf-8")
    hva.promote(hva.train(ws, PIPELINE), force="a test of lifetime values for sellers")
    hva.score(ws, PIPELINE, as_of="2025-12-31")
    return ws


def who(ws: hva.Workspace) -> tuple[str, str]:
    """Return a customer, and an account that never bought."""
    lasting = set(read(ws.scores(PIPELINE), "lifetime")["account_id"].to_pylist())
    ids = read(ws.scores(PIPELINE), "scores")["account_id"].to_pylist()
    return next(i for i in ids if i in lasting), next(i for i in ids if i not in lasting)


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_customer_is_told_with_the_published_figures(told: hva.Workspace, language: str) -> None:
    customer, _ = who(told)
    rows = read(told.scores(PIPELINE), "lifetime", account=customer).sort_by("horizon_days").to_pylist()
    reader = Reader(language, "DE", "EUR")
    found = explain(told, PIPELINE, customer, language=language)
    for row in rows:
        assert amount(row["value"], reader) in found.lifetime
    assert likelihood(rows[-1]["survival"], reader) in found.lifetime
    assert found.lifetime in found.plain
    assert found.record()["lifetime"] == found.lifetime
    assert found.lifetime in found.files[0].read_text(encoding="utf-8")
    shown = CliRunner().invoke(
        app, ["explain", PIPELINE, customer, "--lang", language, "--text", "--root", str(told.root)]
    )
    assert found.lifetime in shown.stdout


def test_of_an_account_that_never_bought_nothing_is_told(told: hva.Workspace) -> None:
    _, other = who(told)
    found = explain(told, PIPELINE, other)
    assert found.lifetime == ""
    assert 'class="lifetime"' not in found.files[0].read_text(encoding="utf-8")


def test_the_pages_of_a_run_tell_the_sums_of_the_table(told: hva.Workspace) -> None:
    table = read(told.scores(PIPELINE), "lifetime").to_pylist()
    overview = hva.overview(told, PIPELINE, language="de")
    for days in (90, 180):
        total = sum(r["value"] for r in table if r["horizon_days"] == days)
        assert f"{amount(total, Reader('de', 'DE', 'EUR'))} in {days} Tagen" in overview.lifetime
    assert f"({len(table) // 2})" in overview.lifetime
    assert overview.lifetime in overview.files[0].read_text(encoding="utf-8")
    assert overview.record()["lifetime"] == overview.lifetime
    (page,) = told.reports(PIPELINE).glob("2025-12-31/scores*.html")
    assert f"All existing customers ({len(table) // 2})" in page.read_text(encoding="utf-8")


def test_without_lifetime_nothing_is_told(main_job: object) -> None:
    ws = main_job.ws  # type: ignore[attr-defined]
    account = read(ws.scores(PIPELINE), "scores")["account_id"][0].as_py()
    assert explain(ws, PIPELINE, account).lifetime == ""
    assert hva.overview(ws, PIPELINE).lifetime == ""


def test_a_changed_table_is_never_told(told: hva.Workspace) -> None:
    """Last in the room: the table is damaged, and mended again."""
    customer, _ = who(told)
    run = current(told.scores(PIPELINE))
    assert run is not None
    file = run.path / "lifetime.parquet"
    whole = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    try:
        with pytest.raises(IntegrityError, match="has been changed"):
            explain(told, PIPELINE, customer)
    finally:
        file.write_bytes(whole)
