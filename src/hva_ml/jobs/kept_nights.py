"""Keeps what monitoring needs of published nights, beside their runs, which may go after that."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pyarrow as pa

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import IntegrityError
from hva_ml.jobs.progress import Progress
from hva_ml.jobs.published import numeric
from hva_ml.monitoring.digest import Digest, counted, estimated
from hva_ml.monitoring.history import History
from hva_ml.monitoring.reference import Reference
from hva_ml.publication import Published, reading
from hva_ml.registry.releases import read_release
from hva_ml.workspace import Workspace

SCORES = (
    "account_id", "conversion_probability", "value_if_converted", "expected_value", "rank", "tier",
    "in_capacity",
)  # fmt: skip


@dataclass(frozen=True)
class Nights:
    """The nights of a pipeline up to a day, their runs where these are still here.

    Attributes
    ----------
    ws, config : Workspace, PipelineConfig
        The pipeline.
    day : datetime.date
        The last day.
    progress : Progress
        Where stages are told.
    """

    ws: Workspace
    config: PipelineConfig
    day: date
    progress: Progress

    @cached_property
    def history(self) -> History:
        """The folder of the kept nights."""
        return History(self.ws.history(self.config.name))

    @cached_property
    def runs(self) -> dict[str, Published]:
        """Runs that are here, by id; of one day the one written last."""
        latest: dict[str, Published] = {}
        for run in reading.runs(self.ws.scores(self.config.name)):
            as_of = str(run.identity.get("as_of", ""))
            if as_of and as_of <= self.day.isoformat() and "release" in run.identity:
                latest[as_of] = run
        return {run.run_id: run for run in latest.values()}

    @cached_property
    def kept(self) -> tuple[Digest, ...]:
        """Every night, oldest first; those that nobody has kept yet are kept now."""
        known = self.history.nights(self.day)
        names = {(n.as_of, n.run_id) for n in known}
        due = [r for r in self.runs.values() if (r.identity["as_of"], r.run_id) not in names]
        if not due:
            return known
        self.progress.stage(f"Summing up {len(due)} nights")
        for k, run in enumerate(due, 1):
            self.history.keep(self._digest(run))
            self.progress.step(k, len(due), "nights")
        return self.history.nights(self.day)

    def reference(self, release: str, version: str) -> Reference | None:
        """Return what the nights of a release are compared with; None for a release without a profile."""
        kept = self.history.reference(release)
        if kept is not None:
            return kept
        try:
            bundle = read_release(self.ws, self.config.name, version)
        except IntegrityError:
            return None
        if bundle.release != release or bundle.profile is None:
            return None
        self.history.keep_reference(release, bundle.profile)
        return Reference.from_record(bundle.profile)

    def scores(self, run: Published) -> pa.Table:
        """Return the scores of a run, sorted by account."""
        found = publication.read(self.ws.scores(self.config.name), "scores", run.run_id, columns=SCORES)
        return found.sort_by("account_id")

    def features(self, run: Published, columns: tuple[str, ...] | None = None) -> pa.Table:
        """Return the features of a run, sorted by account."""
        folder = self.ws.scores(self.config.name)
        return publication.read(folder, "features", run.run_id, columns=columns).sort_by("account_id")

    def _digest(self, run: Published) -> Digest:
        identity, scores = run.identity, self.scores(run)
        reference = self.reference(str(identity["release"]), str(identity["model_version"]))
        probability, value = (numeric(scores[c]) for c in ("conversion_probability", "value_if_converted"))
        night = reading.manifest_of(run.path).get(reading.NIGHT, {}).get("profile", {})
        return Digest(
            str(identity["as_of"]), run.run_id, str(identity["release"]), str(identity["model_version"]),
            run.sequence, scores.num_rows, counted(reference, self.features(run), scores),
            night.get("volumes", {}),
            estimated(reference, probability, value, self.config.models.seed),
            (float(probability.sum()), float((probability * value).sum())),
        )  # fmt: skip
