"""The door to the Prometheus client: a night in its text format, for the textfile collector of a node."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from hva_ml import publication
from hva_ml.errors import IntegrityError, UsageError
from hva_ml.jobs.nights.summary import Nightly, Outcome
from hva_ml.jobs.nights.watch import Watch

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_log = logging.getLogger("hva_ml.night")
SUFFIX = ".prom"


def checked(path: Path | str) -> Path:
    """Return the path of a file of metrics.

    Raises
    ------
    UsageError
        If the collector would not read it.
    """
    if Path(path).suffix != SUFFIX:
        raise UsageError(
            f"The file of metrics must end in {SUFFIX}.", where="--metrics",
            why="The textfile collector of the node exporter reads no other.",
            fix=f"--metrics {(Path(path) if Path(path).name else Path('night')).with_suffix(SUFFIX)}",
        )  # fmt: skip
    return Path(path)


def write(path: Path, folder: Path, night: Nightly) -> None:
    """Write the metrics of a night by one atomic step; a night must not fail for them.

    Parameters
    ----------
    path : pathlib.Path
        A file of one pipeline: it is replaced as a whole.
    folder : pathlib.Path
        ``data/scores/<pipeline>``, for the scores that count now.
    night : Nightly
        What became of the night.
    """
    from prometheus_client import CollectorRegistry, write_to_textfile

    registry = CollectorRegistry()
    metrics = Metrics(registry, night.pipeline)
    metrics.night(night)
    metrics.stages(night)
    metrics.scores(folder)
    if night.watch is not None:
        metrics.watch(night.watch)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(path), registry)
    except OSError as error:
        _log.warning("The metrics were not written: %s", error.strerror)


class Metrics:
    """Fills a registry; every sample bears the name of the pipeline."""

    def __init__(self, registry: "CollectorRegistry", pipeline: str) -> None:
        self._registry, self._pipeline = registry, pipeline

    def night(self, night: Nightly) -> None:
        """Tell what became of a night."""
        self._one("hva_night_exit_code", "What hva nightly exited with.", night.exit_code)
        self._one("hva_night_as_of_timestamp_seconds", "The day of the night.", _midnight(night.as_of))
        self._one("hva_night_end_timestamp_seconds", "When it ended.", night.ended.timestamp())
        self._one("hva_night_seconds", "From begin to end.", night.seconds)
        self._one("hva_night_accounts", "Accounts scored.", night.accounts)
        self._one("hva_night_accounts_taken_up", "Accounts taken up from a stopped night.", night.taken_up)
        if night.expected_value is not None:
            self._one("hva_night_expected_value", "Sum over all accounts.", night.expected_value)
        known = {outcome: float(outcome == night.outcome) for outcome in get_args(Outcome)}
        self._many("hva_night_outcome", "1 for what became of it.", "outcome", known)
        self._many("hva_night_tier_accounts", "Accounts by tier.", "tier", night.tiers)
        held = Counter(str(row.outcome) for row in night.audit)
        self._many("hva_night_audits", "Audits by outcome.", "outcome", held)
        found = Counter(row.code for row in night.audit if row.outcome == "found")
        self._many("hva_night_audit_found", "Audits that did not hold.", "code", found)

    def stages(self, night: Nightly) -> None:
        """Tell what each stage did."""
        done = [s for s in night.stages if s.outcome != "skipped"]
        self._many("hva_night_stage_seconds", "Of each stage.", "stage", {s.name: s.seconds for s in done})
        self._many("hva_night_stage_rows", "Of each stage.", "stage", {s.name: s.rows for s in done})
        failed = {s.name: float(s.outcome == "failed") for s in done}
        self._many("hva_night_stage_failed", "1 if it failed.", "stage", failed)
        peaks = {s.name: s.peak_bytes for s in done if s.peak_bytes is not None}
        self._many("hva_night_stage_peak_memory_bytes", "Most until its end.", "stage", peaks)

    def scores(self, folder: Path) -> None:
        """Tell of the scores that count, whichever night made them."""
        try:
            run = publication.current(folder)
        except IntegrityError:
            run = None
        self._one("hva_scores_present", "1 if there are whole current scores.", float(run is not None))
        if run is not None and "as_of" in run.identity:
            day = date.fromisoformat(run.identity["as_of"])
            self._one("hva_scores_as_of_timestamp_seconds", "The day of the scores.", _midnight(day))
            self._one(
                "hva_scores_stale", "1 if a later night did not come out.", float(run.stale is not None)
            )

    def watch(self, watch: Watch) -> None:
        """Tell what monitoring said; a code that could not be judged has no sample."""
        self._many("hva_monitor_alarms", "Open alarms.", "code", watch.alarms)
        self._many("hva_monitor_warnings", "Warnings.", "code", watch.warnings)
        self._many("hva_monitor_drift_ratio", "Largest drift over what is tolerated.", "code", watch.drift)
        ratios = {"coming": watch.coming, "conversions": watch.conversions, "value": watch.value}
        told = {of: ratio for of, ratio in ratios.items() if ratio is not None}
        self._many("hva_monitor_realised_ratio", "What came over what was promised.", "of", told)
        if watch.age_days is not None:
            self._one("hva_monitor_model_age_days", "Age of the model.", watch.age_days)
        self._one("hva_monitor_retrain", "1 if the advice is to train again.", float(watch.retrain))

    def _one(self, name: str, text: str, value: float) -> None:
        self._many(name, text, "", {"": value})

    def _many(self, name: str, text: str, label: str, values: Mapping[str, float]) -> None:
        from prometheus_client import Gauge

        labels = ["pipeline", label] if label else ["pipeline"]
        gauge = Gauge(name, text, labels, registry=self._registry)
        for key, value in values.items():
            gauge.labels(*([self._pipeline, key] if label else [self._pipeline])).set(value)


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
