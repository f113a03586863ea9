"""One population as of one day, scored and explained, best first, in blocks. Nothing is stored here."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import Explanation, Scoring
from hva_ml.errors import ContractError, NotEnoughDataError
from hva_ml.features.definition import INDEX, FeatureSet
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.continuity import Continuity
from hva_ml.scoring.explained import Explained, explained
from hva_ml.scoring.lifetime import lifetime_table
from hva_ml.scoring.tiers import Tiers, tiers

Floats = npt.NDArray[np.float64]
BLOCK = 25_000
BESIDE = ("probability_low", "probability_high", "value_low", "value_high", "hva_likelihood")


@dataclass(frozen=True, eq=False)
class Scored:
    """The scores of a population; what explains them is made block by block, whenever it is asked for.

    Attributes
    ----------
    bundle : Bundle
        The model.
    features : FeatureSet
        The rows, by account id.
    probability, value, weight : numpy.ndarray of float64, shape (n_accounts,)
        Likelihood, value if converted, and strategic weight (NaN where there is none).
    beside : mapping of str to numpy.ndarray of float64, shape (n_accounts,)
        Lower and upper bounds and the likelihood of highest value, by column of ``scores``; NaN where the
        model does not know them.
    unseen_categories : numpy.ndarray of int64, shape (n_accounts,)
        Categories of each account that training has not seen.
    place : Tiers
        Rank, percentile, tier, capacity.
    as_of : datetime.date
        The day.
    model_version : str
        Written beside every score.
    config, explanation : Scoring, Explanation
        Number of reasons; languages of texts.
    kind : str
        Which reference accounts.
    goes_on : Continuity or None
        How expected values become stable scores; without it they are equal.
    """

    bundle: Bundle
    features: FeatureSet
    probability: Floats
    value: Floats
    weight: Floats
    beside: Mapping[str, Floats]
    unseen_categories: npt.NDArray[np.int64]
    place: Tiers
    as_of: date
    model_version: str
    config: Scoring
    explanation: Explanation
    kind: str
    goes_on: Continuity | None = None

    @property
    def expected(self) -> Floats:
        """Expected values, shape (n_accounts,), currency units."""
        return self.probability * self.value

    @property
    def unseen(self) -> dict[str, int]:
        """Rows with a category that training has not seen, by feature."""
        return self.bundle.encoder.unseen(self.features)

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """First and last rank (exclusive, from 0) of each piece: at most 25,000 accounts, best first."""
        n = self.features.table.num_rows
        return [(first, min(first + BLOCK, n)) for first in range(0, n, BLOCK)]

    def parts(self) -> Iterator[dict[str, pa.Table]]:
        """Yield the piece of every block."""
        return (self.part(*block) for block in self.blocks)

    def part(self, first: int, last: int) -> dict[str, pa.Table]:
        """Return one piece of the published tables, the same whichever others are made.

        ``scores``
            account_id, as_of (date), conversion_probability with probability_low and probability_high (null
            for a release that does not know them), value_if_converted with value_low and value_high
            (likewise) and expected_value (currency units), hva_likelihood
            (likewise), percentile, rank, tier, tier_reason,
            in_capacity, strategic_weight, reasons_positive and
            reasons_negative (lists of feature, topic, factor, value, reference), unseen_categories (count),
            model_version.
        ``explanations``
            The same rows: account_id, reference (row of ``references``), log_base_probability,
            log_base_value, then ``likelihood.<feature>`` and ``value.<feature>``. Base plus all columns of a
            part is the logarithm of probability or value.
        ``texts``
            If languages are asked for: account_id, language, paragraph, sentences.
        ``lifetime``
            If the model tells it: see `lifetime_table`.

        Raises
        ------
        IntegrityError
            If the reasons of any account do not multiply to its score.
        """
        rows = self._order[first:last]
        here = self._rows(rows)
        found = explained(
            self.bundle, here, self.kind, self.probability[rows], self.value[rows],
            self.config.reasons, self.explanation, self._bounds(rows),
        )  # fmt: skip
        tables = {"scores": self._scores(rows, found), "explanations": found.contributions}
        if found.texts is not None:
            tables["texts"] = found.texts
        if self.bundle.lifetime is not None:
            tables["lifetime"] = lifetime_table(
                self.bundle.lifetime, here, self.probability[rows], self.value[rows]
            )
        return tables

    @cached_property
    def _order(self) -> npt.NDArray[np.int64]:
        return np.argsort(self.place.rank, kind="stable")

    @cached_property
    def table(self) -> pa.Table:
        """The whole table ``scores``; explains every account."""
        return self._whole["scores"]

    @cached_property
    def explanations(self) -> pa.Table:
        """The whole table ``explanations``; explains every account."""
        return self._whole["explanations"]

    @cached_property
    def _whole(self) -> dict[str, pa.Table]:
        parts = list(self.parts())
        return {name: pa.concat_tables([p[name] for p in parts]).combine_chunks() for name in parts[0]}

    def _stable(self, expected: Floats) -> Floats:
        return expected if self.goes_on is None else self.goes_on.stable(expected)

    def _rows(self, rows: npt.NDArray[np.int64]) -> FeatureSet:
        table = self.features.table.take(pa.array(rows)).combine_chunks()
        return FeatureSet(table, self.features.definitions)

    def _bounds(self, rows: npt.NDArray[np.int64]) -> tuple[Floats, Floats] | None:
        if self.bundle.value_spread is None:
            return None
        return self.beside["value_low"][rows], self.beside["value_high"][rows]

    def _scores(self, rows: npt.NDArray[np.int64], found: Explained) -> pa.Table:
        n, place = len(rows), self.place
        probability, value, expected = self.probability[rows], self.value[rows], self.expected[rows]
        bound = {name: pa.array(b[rows], from_pandas=True) for name, b in self.beside.items()}
        return pa.table(
            {
                "account_id": found.contributions["account_id"],
                "as_of": pa.array([self.as_of] * n, pa.date32()),
                "conversion_probability": pa.array(probability),
                "probability_low": bound["probability_low"],
                "probability_high": bound["probability_high"],
                "value_if_converted": pa.array(value),
                "value_low": bound["value_low"],
                "value_high": bound["value_high"],
                "expected_value": pa.array(expected),
                "stable_score": pa.array(self._stable(expected)),
                "hva_likelihood": bound["hva_likelihood"],
                "percentile": pa.array(place.percentile[rows]),
                "rank": pa.array(place.rank[rows]),
                "tier": pa.array(place.tier[rows].tolist(), pa.string()),
                "tier_reason": pa.array(place.reason[rows].tolist(), pa.string()),
                "in_capacity": pa.array(place.in_capacity[rows]),
                "strategic_weight": pa.array(self.weight[rows], from_pandas=True),
                "reasons_positive": found.up,
                "reasons_negative": found.down,
                "unseen_categories": pa.array(self.unseen_categories[rows]),
                "model_version": pa.array([self.model_version] * n, pa.string()),
            }
        )


def score(
    bundle: Bundle,
    features: FeatureSet,
    accounts: pa.Table,
    config: Scoring,
    *,
    model_version: str,
    explanation: Explanation | None = None,
    kind: str = "",
    goes_on: Continuity | None = None,
) -> Scored:
    """Score every row of a feature set.

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
    explanation : Explanation, optional
        Languages of texts; without it there are none.
    kind : str
        Which reference accounts, see `References.kinds`; by default those of the release.
    goes_on : Continuity, optional
        How the release continues the scores before it.

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
    """
    rows = _of_release(bundle, _ordered(features))
    n = rows.table.num_rows
    probability, value, unseen = np.empty(n), np.empty(n), np.zeros(n, dtype=np.int64)
    beside = {name: np.empty(n) for name in BESIDE}
    for first in range(0, n, BLOCK):
        block = FeatureSet(rows.table.slice(first, BLOCK), rows.definitions)
        told = bundle.predict(block)
        here = slice(first, first + BLOCK)
        probability[here], value[here] = told.probability, told.value_if_converted
        for name, numbers in beside.items():
            numbers[here] = getattr(told, name)
        unseen[here] = _unseen(bundle, block, told.X)
    ids = rows.table["account_id"].to_pylist()
    weight = _weights(ids, accounts)
    place = tiers(np.asarray(ids, dtype=np.str_), probability * value, weight, config)
    return Scored(
        bundle, rows, probability, value, weight, beside, unseen, place, _day(bundle, rows), model_version,
        config, explanation or Explanation(), kind or bundle.references.kind, goes_on,
    )  # fmt: skip


def _of_release(bundle: Bundle, features: FeatureSet) -> FeatureSet:
    """Return the features that the release reads, in its order: a pipeline file may have gone on since.

    One that is missing is named by the encoder.
    """
    known = {d.name: d for d in features.definitions}
    own = tuple(known[d.name] for d in bundle.definitions if d.name in known)
    return FeatureSet(features.table.select([*INDEX, *(d.name for d in own)]), own)


def _ordered(features: FeatureSet) -> FeatureSet:
    table = features.table
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
    ids = table["account_id"].combine_chunks()
    if not pc.all(pc.less(ids[:-1], ids[1:])).as_py():
        table = table.sort_by([("account_id", "ascending")])
    return FeatureSet(table, features.definitions)


def _weights(ids: Sequence[str], accounts: pa.Table) -> Floats:
    """Return the latest known strategic weight of each account, NaN where there is none."""
    latest = accounts.select(["account_id", "event_time", "known_at", "strategic_weight"]).sort_by(
        [("event_time", "ascending"), ("known_at", "ascending")]
    )
    weight = dict(zip(latest["account_id"].to_pylist(), latest["strategic_weight"].to_pylist(), strict=True))
    found = [weight.get(i) for i in ids]
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
