"""A night on simulated data whose sources go wrong: refused, last night's scores stale, mended or forced."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

import hva_ml as hva
from hva_ml.cli import app
from hva_ml.errors import SourceError, UsageError
from hva_ml.publication import AuditError, current, read

PIPELINE = "dach_sample"
LAST, TONIGHT = "2025-12-30", "2025-12-31"


@pytest.fixture(scope="module")
def ws(main_job: Any, tmp_path_factory: pytest.TempPathFactory) -> hva.Workspace:
    """A workspace in which the night before has been published."""
    root = tmp_path_factory.mktemp("night") / "ws"
    shutil.copytree(main_job.ws.root, root)
    ws = hva.Workspace.find(root)
    hva.score(ws, PIPELINE, as_of=LAST)
    return ws


@pytest.fixture
def wrong(ws: hva.Workspace) -> Callable[[str, str, str], Any]:
    """Change a source query for a while, and put the night before back in the end."""

    @contextmanager
    def change(table: str, old: str, new: str) -> Iterator[None]:
        path = ws.queries(PIPELINE) / f"{table}.sql"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")

    return change


def found(error: AuditError) -> set[str]:
    return {r.code for r in error.rows if r.outcome == "found"}


def test_the_night_before_was_compared_and_held(ws: hva.Workspace, main_job: Any) -> None:
    run = current(ws.scores(PIPELINE))
    told = {r.code: r.outcome for r in run.audit}
    # The night before this one is as of a later day: what was not known yet cannot be gone.
    assert told.pop("HVS015") == "not applicable"
    assert set(told.values()) == {"passed"}
    assert set(told) == {f"HVS{k:03d}" for k in range(1, 15)}
    first = {r.code: r.outcome for r in main_job.scores.audit}
    assert {c for c, o in first.items() if o == "not applicable"} == {
        *("HVS012", "HVS013", "HVS014", "HVS015"),
        *(f"HVS00{k}" for k in range(2, 8)),
    }


WRONG = {
    "events stop": (
        "events", "FROM engagement", "FROM engagement WHERE imported_at < TIMESTAMP '2025-12-20'",
        {"HVS001"},
    ),
    "one kind of event stops": (
        "events", "FROM engagement",
        "FROM engagement WHERE event_type <> 'web_visit' OR imported_at < TIMESTAMP '2025-12-20'", {"HVS001"},
    ),
    "an eighth of the accounts is missing": (
        "accounts", "FROM companies", "FROM companies WHERE hash(company_id) % 8 > 0", {"HVS002", "HVS003"},
    ),
    "amounts in cents": ("invoices", " / 100 AS", " AS", {"HVS012", "HVS015"}),
    "amounts one per cent higher": ("invoices", " / 100 AS", " * 1.01 / 100 AS", {"HVS015"}),
    "times two hours later": (
        "invoices", "issued_at AS event_time", "issued_at + INTERVAL 2 HOUR AS event_time", {"HVS015"},
    ),
    "a column arrives empty": (
        "accounts", "    employees,", "    CAST(NULL AS INTEGER) AS employees,", {"HVS004"},
    ),
    "times lose their zone": (
        "deal_stages", "entered_at AS", "CAST(entered_at AS TIMESTAMP) AS", {"HVS013"},
    ),
    "one amount for all": ("invoices", "CAST(amount_cents", "CAST(4900", {"HVS014"}),
    "one country for all": ("accounts", "CASE country WHEN 'D' THEN", "CASE 'D' WHEN 'D' THEN", {"HVS014"}),
    "other spelling": ("accounts", "    legal_form,", "    upper(legal_form) AS legal_form,", {"HVS008"}),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_source_that_goes_wrong_is_refused(ws: hva.Workspace, wrong: Any, what: str) -> None:
    table, old, new, codes = WRONG[what]
    with wrong(table, old, new), pytest.raises(AuditError) as caught:
        hva.score(ws, PIPELINE, as_of=TONIGHT)
    assert found(caught.value) >= codes
    assert current(ws.scores(PIPELINE)).identity["as_of"] == LAST


def test_a_refused_night_is_told_everywhere_and_mended_by_the_next_one(
    ws: hva.Workspace, wrong: Any, main_job: Any
) -> None:
    folder, root = ws.scores(PIPELINE), ("--root", str(ws.root))
    last = current(folder)
    with wrong("events", "FROM engagement", "FROM engagement WHERE imported_at < TIMESTAMP '2025-12-20'"):
        refused = CliRunner().invoke(app, ["score", PIPELINE, "--as-of", TONIGHT, *root, "--json"])
        assert refused.exit_code == 3
        error = json.loads(refused.stderr.strip().splitlines()[-1])
        assert error["error"] == "AuditError"
        assert {r["code"] for r in error["audit"] if r["outcome"] == "found"} >= {"HVS001"}
        assert f'hva score {PIPELINE} --as-of {TONIGHT} --force "the reason"' in error["fix"]
        shown = CliRunner().invoke(app, ["score", PIPELINE, "--as-of", TONIGHT, *root])
        assert (shown.exit_code, "Traceback" in shown.output) == (3, False)
        assert "'events' arrived 11 days ago" in shown.output
    now = current(folder)
    assert (now.run_id, now.stale.as_of) == (last.run_id, TONIGHT)
    page = ws.reports(PIPELINE) / LAST / "scores.html"
    assert "There are no valid scores as of Dec 31, 2025" in page.read_text(encoding="utf-8")
    best = read(folder, columns=["account_id"])["account_id"][0].as_py()
    told = hva.explain(ws, PIPELINE, best, language="de")
    assert told.record()["stale"]["as_of"] == TONIGHT
    assert "Nicht der neueste Stand" in told.files[0].read_text(encoding="utf-8")
    assert "Stale" in CliRunner().invoke(app, ["explain", PIPELINE, best, *root]).output

    # Mended, the night of the main job is the same run as it was there: nothing is written again.
    mended = hva.score(ws, PIPELINE, as_of=TONIGHT)
    assert (mended.run_id, mended.published) == (main_job.scores.run_id, True)
    assert current(folder).stale is None
    assert "no valid scores" not in mended.page.read_text(encoding="utf-8")
    assert "Stale" not in CliRunner().invoke(app, ["explain", PIPELINE, best, *root]).output


def test_a_reason_publishes_all_the_same_and_stands_in_the_manifest(ws: hva.Workspace, wrong: Any) -> None:
    hva.score(ws, PIPELINE, as_of=LAST)
    with pytest.raises(UsageError, match="needs a reason"):
        hva.score(ws, PIPELINE, as_of=TONIGHT, force="  ")
    with wrong("invoices", " / 100 AS", " AS"):
        done = CliRunner().invoke(
            app, ["score", PIPELINE, "--as-of", TONIGHT, "--force", "prices in cents", "--root", str(ws.root)]
        )
    assert done.exit_code == 0
    assert "Forced: prices in cents" in done.output
    assert "HVS012" in done.output
    run = current(ws.scores(PIPELINE))
    manifest = json.loads((run.path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["night"]["forced"] == run.forced == "prices in cents"
    assert "HVS012" in {r["code"] for r in manifest["night"]["audit"] if r["outcome"] == "found"}
    hva.score(ws, PIPELINE, as_of=LAST)


def test_a_source_that_cannot_be_read_leaves_last_nights_scores_stale(ws: hva.Workspace, wrong: Any) -> None:
    hva.score(ws, PIPELINE, as_of=LAST)
    with (
        wrong("events", "FROM engagement", "FROM no_such_source"),
        pytest.raises(SourceError),
    ):
        hva.score(ws, PIPELINE, as_of=TONIGHT)
    assert current(ws.scores(PIPELINE)).stale.as_of == TONIGHT
    # The night before, scored again, is the current run already: tonight is still missing.
    assert not hva.score(ws, PIPELINE, as_of=LAST).published
    assert current(ws.scores(PIPELINE)).stale.as_of == TONIGHT
