"""One published run as the later jobs read it. All that knows how a run stores explanations is here."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import publication
from hva_ml.errors import RefusedError, UsageError
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.publication import reading
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.releases import read_release
from hva_ml.workspace import Workspace

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Run:
    """One published run.

    Attributes
    ----------
    run_id, as_of : str, datetime.date
        Which run, of which day.
    scores : pyarrow.Table
        Sorted by account_id.
    features : pyarrow.Table
        The same rows.
    names : tuple of str
        What the accounts are called; empty where unknown.
    bundle : Bundle
        The release that scored it.
    """

    run_id: str
    as_of: date
    scores: pa.Table
    features: pa.Table
    names: tuple[str, ...]
    bundle: Bundle

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Account ids, sorted."""
        return tuple(self.scores["account_id"].to_pylist())

    @cached_property
    def features_set(self) -> FeatureSet:
        """The features that the release reads, as a set."""
        return FeatureSet(self.features, self.bundle.definitions)

    def column(self, name: str) -> Floats:
        """Return a numeric column of the features, NaN where unknown."""
        return numeric(self.features[name])

    def called(self, row: int) -> str:
        """Return the account's name, or its id where it has none."""
        return self.names[row] or self.ids[row]


def numeric(column: pa.ChunkedArray) -> Floats:
    """Return a column as float64 with NaN for null."""
    filled = pc.fill_null(column.cast(pa.float64()), float("nan"))
    return np.asarray(filled.to_numpy(), dtype=np.float64)


def open_run(ws: Workspace, pipeline: str, run_id: str) -> Run:
    """Read one run, every table held to its hash, and the release that scored it."""
    folder = ws.scores(pipeline)
    tables = {
        name: publication.read(folder, name, run_id).sort_by("account_id")
        for name in ("scores", "features", "accounts")
    }
    scores = tables["scores"]
    return Run(
        run_id,
        scores["as_of"][0].as_py(),
        scores,
        tables["features"],
        tuple(n or "" for n in tables["accounts"]["name"].to_pylist()),
        read_release(ws, pipeline, scores["model_version"][0].as_py()),
    )


def contributions(ws: Workspace, pipeline: str, run: Run) -> Floats:
    """Return the published contributions to ln(expected value), shape (n_accounts, n_features)."""
    table = publication.read(ws.scores(pipeline), "explanations", run.run_id).sort_by("account_id")
    names = run.bundle.encoder.names
    return np.column_stack([numeric(table[f"likelihood.{n}"]) + numeric(table[f"value.{n}"]) for n in names])


def kind_of_reference(ws: Workspace, pipeline: str, run: Run) -> str:
    """Return with which kind of reference accounts a run is explained."""
    first = publication.read(ws.scores(pipeline), "explanations", run.run_id, account=run.ids[0])
    # Runs of before reference accounts had segments knew only one.
    place = int(first.to_pylist()[0].get("reference", 0))
    return run.bundle.references.accounts[place].kind


def current_run(ws: Workspace, pipeline: str) -> str:
    """Return the id of the run that counts; raises ``RefusedError`` if there is none."""
    found = publication.current(ws.scores(pipeline))
    if found is None:
        raise RefusedError(
            "There are no published scores.", where=str(ws.scores(pipeline)),
            fix=f"hva score {pipeline} --as-of DAY",
        )  # fmt: skip
    return found.run_id


def find_run(ws: Workspace, pipeline: str, which: str) -> str:
    """Return the run whose id begins with `which`, or that of the day `which`.

    Raises
    ------
    UsageError
        If there is none, or several.
    """
    known = runs(ws, pipeline)
    found = [r for r, day in known if r.startswith(which) or day == which] if which else []
    if len(found) > 1 and (current := current_run(ws, pipeline)) in found:
        # Of several runs of one day the one that counts is meant.
        return current
    if len(found) != 1:
        raise UsageError(
            f"{'No run is' if not found else f'{len(found)} runs are'} called '{which[:40]}'.",
            where=str(ws.scores(pipeline) / reading.RUNS),
            fix=f"Use one of: {', '.join(f'{r} ({day})' for r, day in known[-5:]) or 'none yet'}.",
        )
    return found[0]


def runs(ws: Workspace, pipeline: str) -> list[tuple[str, str]]:
    """Return id and day of every published run, by day, then as they were written."""
    return [(r.run_id, str(r.identity["as_of"])) for r in reading.runs(ws.scores(pipeline))]


def runs_of(ws: Workspace, pipeline: str, release: str) -> list[str]:
    """Return the ids of the published runs that a release has scored, by day, then as they were written."""
    return [r.run_id for r in reading.runs(ws.scores(pipeline)) if r.identity.get("release") == release]


def definitions(*bundles: Bundle) -> tuple[FeatureDefinition, ...]:
    """Return the definitions of several releases, each feature once, those of the last one first."""
    found: dict[str, FeatureDefinition] = {}
    for bundle in reversed(bundles):
        for d in bundle.definitions:
            found.setdefault(d.name, d)
    return tuple(found.values())
