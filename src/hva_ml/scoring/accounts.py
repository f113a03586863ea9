"""One population as of one day, scored and explained. Nothing is stored here."""

import tomllib
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import Scoring
from hva_ml.errors import ContractError, IntegrityError, NotEnoughDataError
from hva_ml.explanation.composition import Explanation
from hva_ml.features.definition import FeatureSet
from hva_ml.registry.bundle import Bundle, Predictions
from hva_ml.scoring.factors import strongest
from hva_ml.scoring.tiers import tiers

Floats = npt.NDArray[np.float64]
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Scored:
    """Scores and what they are made of.

    Attributes
    ----------
    table : pyarrow.Table
        One row per account, best first: account_id, as_of (date), conversion_probability, value_if_converted
        and expected_value (currency units), percentile, rank, tier, tier_reason, in_capacity,
        strategic_weight, reasons_positive and reasons_negative (lists of feature, topic, factor, value,
        reference), unseen_categories (count), model_version.
    explanations : pyarrow.Table
        The same rows: account_id, log_base_probability, log_base_value, then ``likelihood.<feature>`` and
        ``value.<feature>``. Base plus all columns of a part is the logarithm of probability or value.
    unseen : dict of str to int
        Rows with a category that training has not seen, by feature.
    """

    table: pa.Table
    explanations: pa.Table
    unseen: dict[str, int]


def score(
    bundle: Bundle, features: FeatureSet, accounts: pa.Table, config: Scoring, *, model_version: str
) -> Scored:
    """Score and explain every row of a feature set.

    Parameters
    ----------
    bundle : Bundle
        The champion.
    features : FeatureSet
        One cutoff, one row per account, in any order.
    accounts : pyarrow.Table
        Contract table ``accounts`` as known at the cutoff, for ``strategic_weight`` of the latest version.
    config : Scoring
        Tiers, capacity, number of reasons.
    model_version : str
        Written beside every score.

    Returns
    -------
    Scored
        The same for any order of the input rows.

    Raises
    ------
    NotEnoughDataError
        If there is no row.
    ContractError
        For several cutoffs, or an account twice.
    IntegrityError
        If the reasons of any account do not multiply to its score.
    """
    rows = _ordered(features)
    told = bundle.predict(rows)
    explained = bundle.explain(told.X)
    _check(told, explained)
    ids = np.asarray(rows.table["account_id"].to_pylist(), dtype=np.str_)
    weight = _weights(ids, accounts)
    place = tiers(ids, told.expected_value, weight, config)
    up, down = strongest(rows, bundle.encoder, bundle.reference, explained.total, config.reasons)
    columns: dict[str, pa.Array] = {
        "account_id": rows.table["account_id"].combine_chunks(),
        "as_of": pa.array([_day(bundle, rows)] * len(ids), pa.date32()),
        "conversion_probability": pa.array(told.probability),
        "value_if_converted": pa.array(told.value_if_converted),
        "expected_value": pa.array(told.expected_value),
        "percentile": pa.array(place.percentile),
        "rank": pa.array(place.rank),
        "tier": pa.array(place.tier.tolist(), pa.string()),
        "tier_reason": pa.array(place.reason.tolist(), pa.string()),
        "in_capacity": pa.array(place.in_capacity),
        "strategic_weight": pa.array(weight, from_pandas=True),
        "reasons_positive": up,
        "reasons_negative": down,
        "unseen_categories": pa.array(_unseen(bundle, rows, told.X)),
        "model_version": pa.array([model_version] * len(ids), pa.string()),
    }
    best_first = pa.array(np.argsort(place.rank, kind="stable"))
    explanations = _explanations(columns["account_id"], bundle, explained)
    return Scored(pa.table(columns).take(best_first), explanations.take(best_first), told.unseen)


def _ordered(features: FeatureSet) -> FeatureSet:
    table = features.table.sort_by([("account_id", "ascending")]).combine_chunks()
    if not table.num_rows:
        raise NotEnoughDataError(
            "There is no account to score.", where="features", fix="Check [population] and the day."
        )
    cutoffs = pc.count_distinct(table["cutoff"], mode="all").as_py()
    accounts = pc.count_distinct(table["account_id"], mode="only_valid").as_py()
    if cutoffs != 1 or accounts != table.num_rows:
        raise ContractError(
            f"{table.num_rows} rows hold {accounts} accounts at {cutoffs} cutoffs.",
            where="features to score",
            why="Each account is scored once, as of one day.",
            fix="Build the features with a calendar of one day.",
        )
    return FeatureSet(table, features.definitions)


def _check(told: Predictions, explained: Explanation) -> None:
    """Hold every row: reference times all factors is the score, within 1e-9 in log space."""
    with np.errstate(divide="ignore"):
        score_ = np.log(told.expected_value)
    error = np.abs(explained.log_base + explained.total.sum(axis=1) - score_)
    wrong = ~(error <= TOLERANCE)
    if wrong.any():
        raise IntegrityError(
            "The reasons do not multiply to the score.",
            where=f"{int(wrong.sum())} of {len(wrong)} accounts",
            why="Reasons that do not lead to the score are no reasons.",
            fix="Restore the model files, or train and promote again.",
            ids=[told.account_id[int(k)].as_py() for k in np.flatnonzero(wrong)[:5]],
        )


def _weights(ids: npt.NDArray[np.str_], accounts: pa.Table) -> Floats:
    """Return the latest known strategic weight of each account, NaN where there is none."""
    latest = accounts.select(["account_id", "event_time", "known_at", "strategic_weight"]).sort_by(
        [("event_time", "ascending"), ("known_at", "ascending")]
    )
    weight = dict(zip(latest["account_id"].to_pylist(), latest["strategic_weight"].to_pylist(), strict=True))
    found = [weight.get(str(i)) for i in ids]
    return np.array([np.nan if w is None else w for w in found], dtype=np.float64)


def _day(bundle: Bundle, rows: FeatureSet) -> date:
    """Return the cutoff as a day of the pipeline's time zone: a cutoff is local midnight there."""
    zone = tomllib.loads(bundle.config_text).get("pipeline", {}).get("timezone", "UTC")
    day: date = rows.table["cutoff"][0].as_py().astimezone(ZoneInfo(zone)).date()
    return day


def _unseen(bundle: Bundle, rows: FeatureSet, X: Floats) -> npt.NDArray[np.int64]:
    count = np.zeros(len(X), dtype=np.int64)
    for j, column in enumerate(bundle.encoder.columns):
        if column.kind == "category":
            known = np.asarray(rows.table[column.name].is_valid())
            count += known & (X[:, j] == column.unseen_code)
    return count


def _explanations(ids: pa.Array, bundle: Bundle, explained: Explanation) -> pa.Table:
    n = len(ids)
    columns: dict[str, pa.Array] = {
        "account_id": ids,
        "log_base_probability": pa.array(np.full(n, explained.log_base_probability)),
        "log_base_value": pa.array(np.full(n, explained.log_base_value)),
    }
    for part, contributions in (("likelihood", explained.likelihood), ("value", explained.value)):
        for j, name in enumerate(bundle.encoder.names):
            columns[f"{part}.{name}"] = pa.array(np.ascontiguousarray(contributions[:, j]))
    return pa.table(columns)
