"""What a published run says of one account, every table held to its hash, and what it is compared with."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import IntegrityError, RefusedError, UsageError, nearest
from hva_ml.explanation.selection import Floats
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.publication import Published
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.releases import read_release
from hva_ml.workspace import Workspace

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Home:
    """The account that another one is compared with.

    Attributes
    ----------
    kind : str
        ``typical``, ``medoid``, ``won``, ``threshold``, or ``earlier``: the same account before.
    values : tuple
        Features in the order of the model's definitions, decoded.
    place : int
        Its place among the release's reference accounts; -1 for ``earlier``.
    day : datetime.date or None
        Of ``earlier``.
    """

    kind: str
    values: tuple[float | str | None, ...]
    place: int = -1
    day: date | None = None


@dataclass(frozen=True)
class Told:
    """One account of the current run.

    Attributes
    ----------
    run : Published
        The run it stands in.
    row : dict
        Its published score.
    n_accounts : int
        Accounts of the run.
    names : pyarrow.Table
        account_id and name of every account of the run.
    values : list
        Features in the order of the model's definitions.
    likelihood, value : numpy.ndarray of float64, shape (n_features,)
        Contributions to ln(probability) and ln(value if converted).
    log_base_probability, log_base_value : float
        Of the account it is compared with.
    home : Home
        That account.
    bundle : Bundle
        The release that made the score.
    """

    run: Published
    row: dict[str, Any]
    n_accounts: int
    names: pa.Table
    values: list[Any]
    likelihood: Floats
    value: Floats
    log_base_probability: float
    log_base_value: float
    home: Home
    bundle: Bundle

    @property
    def contributions(self) -> Floats:
        """Contributions to ln(expected value), shape (n_features,)."""
        return np.asarray(self.likelihood + self.value)

    @property
    def log_base(self) -> float:
        """ln(expected value) of the account it is compared with."""
        return self.log_base_probability + self.log_base_value

    @property
    def name(self) -> str:
        """What the account is called, empty where nobody knows."""
        return one(self.names, self.row["account_id"])["name"] or ""

    def encoded(self) -> Floats:
        """Return the row as the models see it, after they have given the published score from it.

        Raises
        ------
        IntegrityError
            If the release is not the one of the run, or gives another score from the published features.
        """
        bundle = self.bundle
        X = encode(bundle, self.values)
        probability, value = bundle.outcomes(X)
        again = float(probability[0] * value[0])
        published = float(self.row["expected_value"])
        same = abs(again - published) <= TOLERANCE * max(abs(published), 1.0)
        if self.run.identity.get("release") != bundle.release or not same:
            raise IntegrityError(
                "The score cannot be rebuilt from what was published.",
                where=f"run {self.run.run_id}, release {bundle.release[:16]}",
                why="What is said about another procedure than the one applied would inform nobody.",
                fix="Restore the release from a copy or from git, or score again.",
            )
        return X

    def against(self, home: Home, found: Any) -> "Told":
        """Return the same account compared with another one, from an explanation of its single row."""
        return replace(
            self, home=home, likelihood=found.likelihood[0], value=found.value[0],
            log_base_probability=float(found.log_base_probability[0]),
            log_base_value=float(found.log_base_value[0]),
        )  # fmt: skip


def told(ws: Workspace, config: PipelineConfig, account: str) -> Told:
    """Read what the current run says of an account.

    Raises
    ------
    RefusedError
        If nothing is published yet.
    UsageError
        If the account has no score.
    IntegrityError
        If a table is not as it was published, or the release is damaged.
    """
    folder = ws.scores(config.name)
    run = publication.current(folder)
    if run is None:
        raise RefusedError(
            "There are no published scores to explain.", where=str(folder),
            fix=f"hva score {config.name} --as-of DAY",
        )  # fmt: skip
    row = _row(folder, run, account, config.name)
    bundle = read_release(ws, config.name, row["model_version"])
    explained, values = (
        publication.read(folder, table, run.run_id, account=account).to_pylist()[0]
        for table in ("explanations", "features")
    )
    parts = [
        np.array([explained[f"{part}.{n}"] for n in bundle.encoder.names], dtype=np.float64)
        for part in ("likelihood", "value")
    ]
    # Runs of before reference accounts had segments knew only one.
    place = int(explained.get("reference", 0))
    home = bundle.references.accounts[place]
    return Told(
        run, row, run.rows["scores"], publication.read(folder, "accounts", run.run_id),
        [values[d.name] for d in bundle.definitions], parts[0], parts[1],
        explained["log_base_probability"], explained["log_base_value"],
        Home(home.kind, bundle.decoded(home.values), place), bundle,
    )  # fmt: skip


def encode(bundle: Bundle, values: list[Any]) -> Floats:
    """Return one row of features as the models see it, shape (1, n_features)."""
    columns = {d.name: _cell(d, v) for d, v in zip(bundle.definitions, values, strict=True)}
    return bundle.encoder.transform(FeatureSet(pa.table(columns), bundle.definitions))


def _cell(definition: FeatureDefinition, value: Any) -> pa.Array:
    return pa.array([value], pa.string() if definition.kind == "category" else pa.float64())


def one(table: pa.Table, account: str) -> dict[str, Any]:
    """Return the row of an account."""
    return dict(table.filter(pc.equal(table["account_id"], account)).to_pylist()[0])


def _row(folder: Path, run: Published, account: str, pipeline: str) -> dict[str, Any]:
    found = publication.read(folder, "scores", run.run_id, account=account)
    if found.num_rows == 0:
        ids = publication.read(folder, "accounts", run.run_id)["account_id"].to_pylist()
        raise UsageError(
            f"The account '{account[:60]}' has no published score.{nearest(account, ids)}",
            where=f"scores of {pipeline}, {len(ids)} accounts",
            why="It was not in the population on that day, or the id is written otherwise.",
            fix=f"Take an account_id from the scores; [population] of {pipeline} says who is one.",
        )
    return dict(found.to_pylist()[0])
