"""A page that is there already says whether its scores still count, without being drawn again."""

from datetime import date
from pathlib import Path

from hva_ml.config import PipelineConfig
from hva_ml.publication import Published
from hva_ml.reports import scores as page
from hva_ml.workspace import Workspace


def place(ws: Workspace, pipeline: str, day: date) -> Path:
    """Return where the page of a day's scores lies."""
    return ws.reports(pipeline) / f"{day:%Y-%m-%d}" / "scores.html"


def restate(ws: Workspace, config: PipelineConfig, run: Published) -> None:
    """Let the page of a run say whether it is stale; write it where there is none, or one of another run.

    Raises
    ------
    IntegrityError
        If it must be written, and the run or its release is damaged.
    """
    where = place(ws, config.name, date.fromisoformat(run.identity["as_of"]))
    missing = run.stale.missing if run.stale else None
    if not page.restate(where, run.run_id, stale=run.stale is not None, missing=missing):
        from hva_ml.jobs.pages import write_scores_page

        write_scores_page(ws, config, run)
