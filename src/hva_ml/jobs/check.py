"""Contract and leakage report before any training: what is wrong, and what looks ahead."""

from collections.abc import Sequence
from dataclasses import dataclass

from hva_ml.contracts.probes import Probed
from hva_ml.contracts.records import Violation
from hva_ml.errors import UsageError
from hva_ml.features.build import FeatureGroup
from hva_ml.jobs.leads.probing import probe_leads
from hva_ml.jobs.leaks import PROBED_CUTOFFS, probe
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.workspace import Workspace


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
    probes : tuple of Probed
        The leakage probes, each with what was done, its outcome and, where it could not be asked, why.
    """

    pipeline: str
    violations: tuple[Violation, ...]
    rows: dict[str, tuple[int, int]]
    quirks: tuple[dict[str, object], ...]
    probes: tuple[Probed, ...]

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
            "probes": [p.record() for p in self.probes],
        }


def check(
    ws: Workspace,
    pipeline: str,
    *,
    leakage: bool = True,
    cutoffs: int = PROBED_CUTOFFS,
    extra: Sequence[FeatureGroup] = (),
    engine: str | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Hold a pipeline's data to the contract and look for anything that knows the future.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    leakage : bool
        Whether to run the leakage probes too; they build features several times for each probed cutoff. They
        are left out where the contract is broken.
    cutoffs : int
        At how many cutoffs to probe, spread evenly; cutoffs >= 1.
    extra : sequence of FeatureGroup
        Features of your own, to be probed with those of the pipeline.
    engine : str, optional
        ``duckdb`` or ``spark``, instead of the pipeline's own.

    Returns
    -------
    CheckReport
        With ``ok`` False if training would be refused.
    """
    if cutoffs < 1:
        raise UsageError(
            "At least one cutoff is probed.", where=f"cutoffs = {cutoffs}", fix="Give 1 or more."
        )
    progress = progress or LoggedProgress()
    config = ws.config(pipeline).on(engine)
    progress.stage("Reading sources and checking the contract")
    prepared = prepare(ws, config)
    found = list(prepared.tables.violations)
    probes: tuple[Probed, ...] = ()
    if leakage and not prepared.tables.errors:
        if config.leads is not None:
            probes = probe_leads(config, prepared, progress, cutoffs)
        else:
            probes = probe(ws, config, prepared, progress, extra=(*prepared.own, *extra), cutoffs=cutoffs)
        found += [v for p in probes for v in p.violations]
    order = {"error": 0, "warning": 1, "info": 2}
    return CheckReport(
        config.name,
        tuple(sorted(found, key=lambda v: (order[v.severity], v.code, v.where))),
        prepared.tables.counts(),
        tuple(prepared.quirks),
        probes,
    )
