"""What a published run says of one account, every table held to its hash."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import RefusedError, UsageError, nearest
from hva_ml.explanation.selection import Floats
from hva_ml.publication import Published
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.releases import read_release
from hva_ml.workspace import Workspace


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
    log_base : float
        ln(expected value) of the reference account.
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
    log_base: float
    bundle: Bundle

    @property
    def contributions(self) -> Floats:
        """Contributions to ln(expected value), shape (n_features,)."""
        return np.asarray(self.likelihood + self.value)

    @property
    def name(self) -> str:
        """What the account is called, empty where nobody knows."""
        return one(self.names, self.row["account_id"])["name"] or ""


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
    row, n_accounts = _row(_read(folder, run, "scores"), account, config.name)
    bundle = read_release(ws, config.name, row["model_version"])
    explained = one(_read(folder, run, "explanations"), account)
    values = one(_read(folder, run, "features"), account)
    parts = [
        np.array([explained[f"{part}.{n}"] for n in bundle.encoder.names], dtype=np.float64)
        for part in ("likelihood", "value")
    ]
    return Told(
        run, row, n_accounts, _read(folder, run, "accounts"), [values[d.name] for d in bundle.definitions],
        parts[0], parts[1], explained["log_base_probability"] + explained["log_base_value"], bundle,
    )  # fmt: skip


def one(table: pa.Table, account: str) -> dict[str, Any]:
    """Return the row of an account."""
    return dict(table.filter(pc.equal(table["account_id"], account)).to_pylist()[0])


def _read(folder: Path, run: Published, table: str) -> pa.Table:
    return publication.read(folder, table, run.run_id)


def _row(scores: pa.Table, account: str, pipeline: str) -> tuple[dict[str, Any], int]:
    found = scores.filter(pc.equal(scores["account_id"], account))
    if found.num_rows == 0:
        raise UsageError(
            f"The account '{account[:60]}' has no published score."
            f"{nearest(account, scores['account_id'].to_pylist())}",
            where=f"scores of {pipeline}, {scores.num_rows} accounts",
            why="It was not in the population on that day, or the id is written otherwise.",
            fix=f"Take an account_id from the scores; [population] of {pipeline} says who is one.",
        )
    return found.to_pylist()[0], scores.num_rows
