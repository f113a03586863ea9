"""Contract and leakage report before any training: what is wrong, and what looks ahead."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hva_ml import labels
from hva_ml.config import PipelineConfig
from hva_ml.connectors import sources
from hva_ml.contracts.records import Violation
from hva_ml.cutoffs import Calendar
from hva_ml.evaluation.suspicion import suspicious
from hva_ml.features import build, leakage
from hva_ml.jobs.prepare import Prepared, calendar, contract_tables, prepare
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.workspace import Workspace

PROBED_CUTOFFS = 3


@dataclass(frozen=True)
class CheckReport:
    """What `hva check` found.

    Attributes
    ----------
    pipeline : str
        Name of the pipeline.
    violations : tuple of Violation
        All findings, errors first.
    rows : dict of str to tuple of int
        Clean and quarantined rows by contract table.
    quirks : tuple of dict
        What the source queries set right, counted.
    probes : tuple of str
        The leakage probes that ran, in words.
    """

    pipeline: str
    violations: tuple[Violation, ...]
    rows: dict[str, tuple[int, int]]
    quirks: tuple[dict[str, object], ...]
    probes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing of severity error was found."""
        return not any(v.severity == "error" for v in self.violations)

    def record(self) -> dict[str, object]:
        """Return the report as a JSON-ready record."""
        return {
            "pipeline": self.pipeline,
            "ok": self.ok,
            "rows": {t: {"clean": c, "quarantined": q} for t, (c, q) in self.rows.items()},
            "violations": [v.record() for v in self.violations],
            "quirks": list(self.quirks),
            "probes": list(self.probes),
        }


def check(
    ws: Workspace, pipeline: str, *, leakage: bool = True, progress: Progress | None = None
) -> CheckReport:
    """Hold a pipeline's data to the contract and look for anything that knows the future.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    leakage : bool
        Whether to run the leakage probes too; they build features several times.

    Returns
    -------
    CheckReport
        With ``ok`` False if training would be refused.
    """
    progress = progress or LoggedProgress()
    config = ws.config(pipeline)
    progress.stage("Reading sources and checking the contract")
    prepared = prepare(ws, config)
    found = list(prepared.tables.violations)
    probes: tuple[str, ...] = ()
    if leakage and not prepared.tables.errors:
        probes = (
            "truncation: features from tables cut at the cutoff equal features from all data",
            "perturbation: everything from the cutoff on scrambled changes no feature",
            "source truncation: raw data cut at the cutoff and mapped again give the same features",
            "single-feature power: no feature predicts too well to be true",
        )
        found += leakage_findings(ws, config, prepared, progress)
    order = {"error": 0, "warning": 1, "info": 2}
    clean, aside = prepared.tables.tables, prepared.tables.quarantine
    rows = {
        name: (clean[name].num_rows if name in clean else 0, aside[name].num_rows if name in aside else 0)
        for name in sorted({*clean, *aside})
    }
    return CheckReport(
        config.name,
        tuple(sorted(found, key=lambda v: (order[v.severity], v.code, v.where))),
        rows,
        tuple(prepared.quirks),
        probes,
    )


def leakage_findings(
    ws: Workspace,
    config: PipelineConfig,
    prepared: Prepared,
    progress: Progress,
    extra: Sequence[build.FeatureGroup] = (),
) -> list[Violation]:
    """Run every leakage probe on a few cutoffs spread over the calendar."""
    whole = calendar(config, prepared.tables)
    few = whole.only(_spread(whole.days, PROBED_CUTOFFS))
    progress.stage(f"Leakage probes at {len(few.days)} cutoffs")
    found = [
        *leakage.truncation(prepared.tables, config, few, extra=extra),
        *leakage.perturbation(prepared.tables, config, few, seed=config.models.seed, extra=extra),
        *_source_truncation(ws, config, prepared, few),
    ]
    progress.stage("Single-feature power on all matured cutoffs")
    features = build.build(prepared.tables, config, whole, extra=extra)
    target = labels.build(prepared.tables, features.index, config, whole)
    return found + suspicious(features, target["converted"].to_numpy().astype(np.int8))


def _source_truncation(
    ws: Workspace, config: PipelineConfig, prepared: Prepared, few: Calendar
) -> list[Violation]:
    if not any(s.time for s in config.sources.values()):
        return [
            Violation(
                "HVL004", "sources", 0, "info",
                "The source queries were not probed: no source names the raw column that holds its time.",
                'Add time = "<column>" to [sources.<name>] so that hva check can cut the raw data.',
            )
        ]  # fmt: skip
    found: list[Violation] = []
    for day, cutoff in zip(few.days, few.cutoffs, strict=True):
        once = few.only((day,))
        cut, _ = contract_tables(ws, config, sources.truncate(prepared.raw, config, cutoff))
        missing = [t for t in config.tables if t not in cut.tables]
        if missing:
            continue
        whole, early = (
            build.compose(tables, config, once, build.static_attributes(tables, config))
            for tables in (prepared.tables, cut)
        )
        differing = leakage.compare(whole, early)
        if differing:
            found.append(
                Violation(
                    "HVL004", f"pipelines/{config.name}/*.sql at {day}", len(differing), "error",
                    "These features change when the raw data end at the cutoff: a source query looks ahead.",
                    "Compute the column in the query from rows before its own event_time only, "
                    "or give it its true known_at.",
                    tuple(differing[:5]),
                )
            )  # fmt: skip
    return found


def _spread(days: tuple, count: int) -> tuple:  # type: ignore[type-arg]
    if len(days) <= count:
        return days
    picks = sorted({round(k * (len(days) - 1) / (count - 1)) for k in range(count)})
    return tuple(days[k] for k in picks)
