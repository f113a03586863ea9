"""Whom scores are compared with: made when a model is trained, chosen when it scores or explains."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import UsageError
from hva_ml.explanation.composition import explain_past
from hva_ml.explanation.references import References, references
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.jobs.fitting import Pair
from hva_ml.jobs.published import runs
from hva_ml.jobs.segments import category
from hva_ml.jobs.told import Home, Told, encode
from hva_ml.registry.bundle import Bundle
from hva_ml.workspace import Workspace

EARLIER = "earlier"
QUARTER = timedelta(days=80)


def segment_column(config: PipelineConfig, definitions: Sequence[FeatureDefinition]) -> int | None:
    """Return which feature says the segment, None where all accounts are compared with one.

    Raises
    ------
    ConfigError
        If ``[explanation] segment`` is no category feature of the pipeline.
    """
    return category(config, definitions, config.explanation.segment, "explanation")


def reference_accounts(
    config: PipelineConfig, features: FeatureSet, converted: npt.NDArray[np.int8], pair: Pair
) -> References:
    """Return the accounts that scores are compared with, from the rows the models have learned from."""
    probability, value = pair.predict(features)
    return references(
        pair.encoder.transform(features),
        tuple(d.kind for d in features.definitions),
        converted=converted,
        expected_value=probability * value,
        tier_a=config.scoring.tier_a,
        kind=config.explanation.reference,
        column=segment_column(config, features.definitions),
        least_rows=config.explanation.segment_rows,
    )


def chosen(bundle: Bundle, kind: str, pipeline: str, where: str) -> str:
    """Return a kind of reference account after asking whether the release has it.

    Raises
    ------
    UsageError
        If it has none of that kind.
    """
    known = bundle.references.kinds
    if kind not in known:
        raise UsageError(
            f"The released model has no reference account of the kind '{kind[:20]}'.",
            where=where,
            why="Reference accounts are made from the training rows, together with the model.",
            fix=f"Use one of: {', '.join(known)}; or hva train {pipeline}, then hva promote {pipeline}.",
        )
    return kind


def compared(ws: Workspace, config: PipelineConfig, found: Told, against: str) -> Told:
    """Return an account compared with another one than in the published run, by the same models.

    Parameters
    ----------
    found : Told
        As published.
    against : str
        A kind of reference account of the release, ``earlier`` for the same account a quarter ago (the latest
        run at least 80 days older, else the latest of an earlier day), or nothing for what was published.

    Raises
    ------
    UsageError
        If there is no such reference account, no earlier run, or the account was not in it.
    IntegrityError
        If the release no longer gives the published score.
    """
    if not against or against == found.home.kind:
        return found
    bundle, X = found.bundle, found.encoded()
    if against != EARLIER:
        kind = chosen(bundle, against, config.name, "--against")
        place = int(bundle.references.which(X, kind)[0])
        values = bundle.decoded(bundle.references.accounts[place].values)
        return found.against(Home(kind, values, place), bundle.explain(X, kind))
    run, day = _earlier(ws, config, found.row["as_of"])
    account = found.row["account_id"]
    rows = publication.read(ws.scores(config.name), "features", run, account=account).to_pylist()
    if not rows:
        raise UsageError(
            f"The account '{account[:60]}' was not scored on {day}.",
            where=f"run {run}",
            why="An account that was not there then cannot be compared with itself.",
            fix=f"hva explain {config.name} {account[:60]}   (against {found.home.kind})",
        )
    # What the earlier run did not know counts as unchanged.
    past = [_then(rows[0], d, v) for d, v in zip(bundle.definitions, found.values, strict=True)]
    return found.against(Home(EARLIER, tuple(past), day=day), explain_past(bundle, encode(bundle, past), X))


def _then(row: dict[str, Any], definition: FeatureDefinition, now: Any) -> Any:
    value = row.get(definition.name, now)
    return value if value is None or isinstance(value, str) == (definition.kind == "category") else now


def _earlier(ws: Workspace, config: PipelineConfig, today: date) -> tuple[str, date]:
    known = [(r, date.fromisoformat(d)) for r, d in runs(ws, config.name)]
    older = [(r, d) for r, d in known if d < today]
    if not older:
        raise UsageError(
            "There is no run of an earlier day.",
            where=str(ws.scores(config.name)),
            fix=f"hva score {config.name} --as-of AN_EARLIER_DAY, then score the present day again",
        )
    return ([k for k in older if today - k[1] >= QUARTER] or older)[-1]
