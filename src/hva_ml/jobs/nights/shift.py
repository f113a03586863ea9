"""One night after the other, and everything that is told of each, whatever becomes of it."""

import logging
import secrets
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import HvaError
from hva_ml.jobs.nights import alerts, metrics, summary
from hva_ml.jobs.nights.after import after, tell_stale
from hva_ml.jobs.nights.journal import facts, telling
from hva_ml.jobs.nights.produce import Order, produce
from hva_ml.jobs.nights.stages import Stages
from hva_ml.jobs.nights.summary import Nightly
from hva_ml.jobs.progress import Progress
from hva_ml.jobs.state import restate
from hva_ml.publication import Holder
from hva_ml.workspace import Workspace

_log = logging.getLogger("hva_ml.night")


@dataclass(frozen=True)
class Shift:
    """Whoever works here holds the pipeline's lock.

    Attributes
    ----------
    ws, config : Workspace, PipelineConfig
        Which pipeline.
    progress : Progress
        Where stages are told.
    metrics : pathlib.Path or None
        Where metrics are written.
    died : Holder or None
        The process whose lock was taken over.
    """

    ws: Workspace
    config: PipelineConfig
    progress: Progress
    metrics: Path | None
    died: Holder | None

    def night(self, day: date, order: Order) -> Nightly:
        """Make one night and tell of it; only what nobody foresaw, and being stopped, is raised."""
        name, attempt, began = self.config.name, secrets.token_hex(4), datetime.now(UTC)
        with telling(pipeline=name, as_of=day.isoformat(), attempt=attempt):
            _log.info("The night of %s as of %s begins.", name, day, extra={"hva": {"event": "begin"}})
            stages = Stages(self.progress)
            died = self.died.pid if self.died else None
            night = Nightly(name, day, attempt, "failed", began, began, died=died)
            try:
                night = self._made(day, order, stages, night)
            except (HvaError, OSError) as error:
                failure = _as_error(error)
                outcome: summary.Outcome = "refused" if failure.exit_code == 3 else "failed"
                night = replace(night, error=failure, outcome=outcome)
            except BaseException:
                self._tell(order, replace(night, outcome="stopped"), stages)
                raise
            return self._tell(order, night, stages)

    def _made(self, day: date, order: Order, stages: Stages, night: Nightly) -> Nightly:
        folder = self.ws.scores(self.config.name)
        # A rehearsal, and a day before the current one, leave no mark on the current scores.
        silent = order.rehearse or publication.ahead(folder, day)
        kept = publication.kept(folder, day, lambda run: restate(self.ws, self.config, run))
        try:
            with nullcontext() if silent else kept:
                made = produce(self.ws, self.config, day, order, stages)
        except (HvaError, OSError):
            if not silent:
                tell_stale(self.ws, self.config, stages)
            raise
        watch = None if order.rehearse else after(self.ws, self.config, made, stages)
        return replace(
            night, watch=watch, outcome=made.outcome, run_id=made.run_id, model_version=made.release,
            accounts=made.accounts, taken_up=made.taken_up, expected_value=made.expected_value,
            tiers=made.tiers, audit=made.audit, findings=made.findings, hindsight=made.hindsight,
        )  # fmt: skip

    def _tell(self, order: Order, night: Nightly, stages: Stages) -> Nightly:
        """Log what became of a night, and keep it: in its summary, as metrics, and as an alert."""
        rows = night.error.rows if isinstance(night.error, publication.AuditError) else night.audit
        run_id = night.run_id or str(facts().get("run_id", ""))
        night = replace(night, ended=datetime.now(UTC), stages=stages.done, audit=tuple(rows), run_id=run_id)
        record = night.record()
        told = {k: record[k] for k in ("outcome", "exit_code", "accounts", "seconds", "peak_bytes", "error")}
        level = logging.INFO if night.exit_code == 0 else logging.ERROR
        _log.log(level, "%s", night.sentence(), extra={"hva": {"event": "end", **told}})
        if not order.rehearse:
            folder = self.ws.scores(self.config.name)
            summary.write(folder, night)
            if self.metrics is not None:
                metrics.write(self.metrics, folder, night)
            alerts.send(self.config.alerts, night)
        return night


def _as_error(error: HvaError | OSError) -> HvaError:
    if isinstance(error, HvaError):
        return error
    return HvaError(
        f"The system refused: {error.strerror or error}.",
        where=str(error.filename or ""),
        fix="Check free space and permissions, then run the command again.",
    )
