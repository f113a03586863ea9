"""Whether the reasons of a run would have been the same by another release, where that can be told."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from hva_ml.explanation.selection import Floats
from hva_ml.explanation.stability import Stability, stability
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.both import Both, holds
from hva_ml.jobs.published import Run, find_run, kind_of_reference, open_run, runs_of
from hva_ml.registry.promotion import RECORD
from hva_ml.registry.releases import read_release
from hva_ml.workspace import Workspace

Why = Literal["", "one_release", "same_release", "no_common_accounts", "reads_other_data"]


@dataclass(frozen=True)
class Retrained:
    """Reasons by two releases, or why they cannot be compared.

    Attributes
    ----------
    stability : Stability or None
        What was measured.
    why_not : str
        Why nothing was; empty where it was.
    version : str
        The other release, empty where there is none.
    borrowed : int
        Features that only the other release reads, taken from its own run.
    borrowed_from : datetime.date or None
        The day of that run.
    """

    stability: Stability | None
    why_not: Why = ""
    version: str = ""
    borrowed: int = 0
    borrowed_from: date | None = None

    @property
    def outcome(self) -> str:
        """``measured`` or ``not applicable``."""
        return "measured" if self.stability else "not applicable"


def retrained(
    ws: Workspace,
    pipeline: str,
    run: Run,
    contributions: Floats,
    *,
    limit: int,
    against: str | None,
) -> Retrained:
    """Explain the accounts of a run by another release too, and compare.

    Both releases see the same features, those of the run, and compare with the same kind of reference
    accounts, if the other release has it. What only the other release reads is taken from the latest run that
    it has scored itself, for the accounts of both.

    Parameters
    ----------
    run : Run
        The run, explained by its own release.
    contributions : numpy.ndarray of float64, shape (n_accounts, n_features)
        As published.
    limit : int
        Most reasons told for each direction.
    against : str or None
        A run of the other release; by default the release before the run's own is taken.

    Raises
    ------
    UsageError
        If there is no run `against`.
    IntegrityError
        If the other release or its run is damaged.
    """
    other = open_run(ws, pipeline, find_run(ws, pipeline, against)) if against is not None else None
    version = _version(other) if other else _before(ws, pipeline, _version(run))
    if not version:
        return Retrained(None, "one_release")
    bundle = other.bundle if other else read_release(ws, pipeline, version)
    if bundle.release == run.bundle.release:
        return Retrained(None, "same_release", version)
    kind = kind_of_reference(ws, pipeline, run)
    kind = kind if kind in bundle.references.kinds else ""
    missing = [d for d in bundle.definitions if not holds(run.features, d)]
    if not missing:
        before = bundle.explain(FeatureSet(run.features, bundle.definitions), kind).total
        found = stability(bundle.definitions, before, run.bundle.definitions, contributions, limit)
        return Retrained(found, "", version)
    if other is None:
        known = runs_of(ws, pipeline, bundle.release)
        if not known:
            return Retrained(None, "reads_other_data", version)
        other = open_run(ws, pipeline, known[-1])
    if not set(run.ids) & set(other.ids):
        return Retrained(None, "no_common_accounts", version)
    both = Both(other, run)
    before = bundle.explain(both.seen(other).after, kind).total
    rows = both.rows1.to_numpy(zero_copy_only=False)
    found = stability(bundle.definitions, before, run.bundle.definitions, contributions[rows], limit)
    return Retrained(found, "", version, len(missing), other.as_of)


def _version(run: Run) -> str:
    return str(run.scores["model_version"][0].as_py())


def _before(ws: Workspace, pipeline: str, version: str) -> str:
    """Return the release before a version, empty if there is none."""
    known = [p.parent.name for p in ws.models(pipeline).glob(f"*/{RECORD}")]
    ordered = sorted({*known, version}, key=_natural)
    place = ordered.index(version)
    return ordered[place - 1] if place else ""


def _natural(version: str) -> list[tuple[int, str]]:
    """Return a key that puts 10 after 9."""
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in re.findall(r"\d+|\D+", version)]
