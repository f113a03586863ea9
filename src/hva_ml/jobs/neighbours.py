"""Similar accounts that bought: found in the evidence of the training that made the champion."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hva_ml.config import PipelineConfig
from hva_ml.explanation.alike import alike
from hva_ml.explanation.formats import factor
from hva_ml.explanation.grammar import capital
from hva_ml.explanation.phrases import is_season, season
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.selection import Floats
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.registry.bundle import Bundle
from hva_ml.workspace import Workspace

OUTCOMES = "outcomes.parquet"
FEATURES = "features.parquet"
MOST_CANDIDATES = 3000


@dataclass(frozen=True)
class Neighbour:
    """An account that was scored for the same reasons, and bought.

    Attributes
    ----------
    account_id, name : str
        The name is empty where the user's data have none.
    as_of : datetime.date
        The matured cutoff at which it was like the account is now.
    value : float
        What it became worth within the horizon, in units of ``currency``.
    distance : float
        See `explanation.alike`.
    shared : tuple of str
        What moved both scores in the same direction, in words.
    """

    account_id: str
    name: str
    as_of: date
    value: float
    currency: str
    distance: float
    shared: tuple[str, ...]


def neighbours(
    ws: Workspace,
    config: PipelineConfig,
    bundle: Bundle,
    account: str,
    contributions: Floats,
    names: pa.Table,
    reader: Reader,
) -> tuple[Neighbour, ...]:
    """Return up to three similar accounts of matured cohorts that converted, nearest first.

    Candidates are the at most 3,000 latest rows that converted with a positive value; the account itself and
    its group of companies are none. Without the training's evidence in this workspace there are none.

    Parameters
    ----------
    account : str
        Whom they shall be similar to.
    contributions : numpy.ndarray of float64, shape (n_features,)
        Its contributions to ln(expected value).
    names : pyarrow.Table
        account_id and name, as published.
    """
    folder = ws.training(config.name) / str(bundle.metadata.get("key", ""))
    if not (folder / OUTCOMES).is_file() or not (folder / FEATURES).is_file():
        return ()
    outcomes, features = pq.read_table(folder / OUTCOMES), pq.read_table(folder / FEATURES)
    rows = _candidates(outcomes, account)
    if not len(rows):
        return ()
    table = features.take(rows)
    ids = table["account_id"].to_pylist()
    total = bundle.explain(FeatureSet(table, bundle.definitions)).total
    called = dict(zip(names["account_id"].to_pylist(), names["name"].to_pylist(), strict=True))
    values, zone = outcomes["value"].take(rows).to_pylist(), ZoneInfo(config.pipeline.timezone)
    return tuple(
        Neighbour(
            ids[a.row],
            called.get(ids[a.row]) or "",
            table["cutoff"][a.row].as_py().astimezone(zone).date(),
            float(values[a.row]),
            bundle.currency,
            a.distance,
            tuple(_shared(bundle.definitions[j], times, reader) for j, times in a.shared),
        )
        for a in alike(bundle.definitions, contributions, total, ids)
    )


def _candidates(outcomes: pa.Table, account: str) -> pa.Array:
    """Return the rows that may be neighbours, latest cutoff first, then by account id."""
    own = outcomes.filter(pc.equal(outcomes["account_id"], account))["group_id"].unique()
    kin = pc.or_(pc.is_in(outcomes["group_id"], value_set=own), pc.equal(outcomes["account_id"], account))
    bought = pc.and_(pc.equal(outcomes["converted"], 1), pc.greater(outcomes["value"], 0.0))
    mask = np.asarray(pc.and_(bought, pc.invert(kin)).to_numpy(), dtype=np.bool_)
    places = np.flatnonzero(mask)
    index = outcomes.select(["cutoff", "account_id"]).take(pa.array(places))
    index = index.append_column("place", pa.array(places))
    latest: Any = index.sort_by([("cutoff", "descending"), ("account_id", "ascending")])
    return latest["place"].combine_chunks()[:MOST_CANDIDATES]


def _shared(definition: FeatureDefinition, times: float, reader: Reader) -> str:
    label = season(reader) if is_season(definition) else capital(reader.label(definition))
    return f"{label} ({factor(times, **reader.spoken)})"
