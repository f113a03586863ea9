"""One block of accounts explained: exact contributions, the strongest of them, and their words."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml.config import Explanation as Settings
from hva_ml.errors import IntegrityError
from hva_ml.explanation.composition import Explanation
from hva_ml.explanation.factors import strongest
from hva_ml.explanation.phrases import stated
from hva_ml.explanation.reader import Reader, spoken_of
from hva_ml.explanation.texts import Rows, texts
from hva_ml.features.definition import FeatureSet
from hva_ml.registry.bundle import Bundle

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Explained:
    """What explains a block of accounts, in its order.

    Attributes
    ----------
    contributions : pyarrow.Table
        Table ``explanations``, see `Scored.parts`.
    up, down : pyarrow.Array
        Lists of factors, see `factors.strongest`.
    texts : pyarrow.Table or None
        Table ``texts``, one language after the other.
    """

    contributions: pa.Table
    up: pa.Array
    down: pa.Array
    texts: pa.Table | None


def explained(
    bundle: Bundle,
    features: FeatureSet,
    kind: str,
    probability: Floats,
    value: Floats,
    limit: int,
    settings: Settings,
    bounds: tuple[Floats, Floats] | None = None,
) -> Explained:
    """Explain a block, and hold every row of it to its score.

    Raises
    ------
    IntegrityError
        If the reasons of any account do not multiply to its score.
    """
    X = bundle.encoder.transform(features)
    which = bundle.references.which(X, kind)
    found = bundle.explain(X, kind)
    total = found.total
    _check(features, found.log_base + total.sum(axis=1), np.log(probability * value))
    decoded = [bundle.decoded(r.values) for r in bundle.references.accounts]
    up, down = strongest(features, decoded, which, total, limit)
    words = None
    if settings.languages:
        rows = Rows(
            features.table["account_id"], features.table, total, probability, value, probability * value,
            np.exp(found.log_base), tuple(decoded), which, value_bounds=bounds,
        )  # fmt: skip
        parts = [
            texts(
                features.definitions, _named(bundle, rows, language, settings.country), languages=(language,),
                horizon_days=bundle.horizon_days, country=settings.country, currency=bundle.currency,
                reference=spoken_of(kind), limit=limit,
            )
            for language in settings.languages
        ]  # fmt: skip
        words = pa.concat_tables(parts)
    return Explained(_contributions(features, bundle, found, which), up, down, words)


def segment_words(bundle: Bundle, reference: int, reader: Reader) -> str:
    """Return what the segment of a reference account is called, empty if it stands for all."""
    value, column = bundle.segment(reference), bundle.references.column
    if value is None or column is None:
        return ""
    return stated(bundle.definitions[column], value, reader)[1]


def _named(bundle: Bundle, rows: Rows, language: str, country: str) -> Rows:
    reader = Reader(language, country, bundle.currency)
    names = [segment_words(bundle, k, reader) for k in range(len(rows.references))]
    return replace(rows, segments=tuple(names))


def _check(features: FeatureSet, explained_: Floats, told: Floats) -> None:
    """Hold every row: reference times all factors is the score, within 1e-9 in log space."""
    error = np.abs(explained_ - told)
    wrong = ~(error <= TOLERANCE)
    if wrong.any():
        raise IntegrityError(
            "The reasons do not multiply to the score.",
            where=f"{int(wrong.sum())} of {len(wrong)} accounts",
            why="Reasons that do not lead to the score are no reasons.",
            fix="Restore the model files, or train and promote again.",
            ids=[features.table["account_id"][int(k)].as_py() for k in np.flatnonzero(wrong)[:5]],
        )


def _contributions(features: FeatureSet, bundle: Bundle, found: Explanation, which: Ints) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "account_id": features.table["account_id"].combine_chunks(),
        "reference": pa.array(which),
        "log_base_probability": pa.array(found.log_base_probability),
        "log_base_value": pa.array(found.log_base_value),
    }
    for part, contributions in (("likelihood", found.likelihood), ("value", found.value)):
        for j, name in enumerate(bundle.encoder.names):
            columns[f"{part}.{name}"] = pa.array(np.ascontiguousarray(contributions[:, j]))
    return pa.table(columns)


def references(bundle: Bundle) -> pa.Table:
    """Return the reference accounts as a table: reference, kind, segment (null: all), rows, the features."""
    accounts = bundle.references.accounts
    decoded = [bundle.decoded(r.values) for r in accounts]
    columns: dict[str, pa.Array] = {
        "reference": pa.array(range(len(accounts)), pa.int64()),
        "kind": pa.array([r.kind for r in accounts], pa.string()),
        "segment": pa.array([bundle.segment(k) for k in range(len(accounts))], pa.string()),
        "rows": pa.array([r.rows for r in accounts], pa.int64()),
    }
    for j, d in enumerate(bundle.definitions):
        of = pa.string() if d.kind == "category" else pa.float64()
        columns[d.name] = pa.array([row[j] for row in decoded], of)
    return pa.table(columns)
