"""What would help an account of the current run: which features may move, and what the models say of it."""

import numpy as np
import pyarrow.compute as pc

from hva_ml import publication
from hva_ml.config import Actionable, PipelineConfig
from hva_ml.errors import ConfigError, nearest
from hva_ml.explanation import counterfactual
from hva_ml.explanation.counterfactual import Advice, Population
from hva_ml.explanation.levers import Lever, rules
from hva_ml.explanation.phrases import is_season
from hva_ml.explanation.proposals import nothing, sentence
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.selection import Floats
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.jobs.told import Told
from hva_ml.workspace import Workspace

MOST_COMPARED = 20_000
_SECTION = "[explanation.actionable]"
_NO_LEVER = ("ratio", "score")


def helped(ws: Workspace, config: PipelineConfig, found: Told, limit: int) -> tuple[Advice, ...]:
    """Ask the models of the current run what would help an account, best first.

    In runs of more than 20,000 accounts, every second, third … one is compared.

    Raises
    ------
    ConfigError
        If no feature is marked as actionable, or one that cannot be.
    IntegrityError
        If anything is not as it was published.
    """
    bundle = found.bundle
    handles = levers(config, bundle.definitions)
    numbers = [d for d in bundle.definitions if d.kind == "number"]
    known = dict(zip(bundle.encoder.names, found.values, strict=True))
    values = {d.name: float("nan") if known[d.name] is None else float(known[d.name]) for d in numbers}

    def score(X: Floats) -> Floats:
        probability, value = bundle.outcomes(X)
        return np.asarray(probability * value)

    own = found.encoded()[0]
    return tuple(
        counterfactual.advise(
            _others(ws, config, found), own, handles, rules(numbers), values, score, limit=limit
        )
    )


def sentences(found: Told, advice: tuple[Advice, ...], reader: Reader) -> tuple[str, ...]:
    """Return every proposal in words, or the one sentence that there is none; see `proposals.sentence`."""
    known = {d.name: d for d in found.bundle.definitions}
    present = float(found.row["expected_value"])
    return tuple(sentence(a, known, present, reader) for a in advice) or (nothing(reader),)


def _others(ws: Workspace, config: PipelineConfig, found: Told) -> Population:
    """Return at most 20,000 other accounts of the run as its models see them."""
    folder, run, bundle = ws.scores(config.name), found.run, found.bundle
    every = max(1, -(-run.rows["features"] // MOST_COMPARED))
    features = publication.read(folder, "features", run.run_id, every=every)
    features = features.filter(pc.not_equal(features["account_id"], found.row["account_id"]))
    scores = publication.read(folder, "scores", run.run_id)
    place = pc.index_in(features["account_id"], scores["account_id"].combine_chunks())
    return Population(
        bundle.encoder.names,
        bundle.encoder.transform(FeatureSet(features, bundle.definitions)),
        tuple(c.kind == "category" for c in bundle.encoder.columns),
        np.asarray(scores["expected_value"].take(place).to_numpy(), dtype=np.float64),
    )


def levers(config: PipelineConfig, definitions: tuple[FeatureDefinition, ...]) -> list[Lever]:
    """Return what may move, sorted by name.

    Raises
    ------
    ConfigError
        If none is marked, or one that there is not, or that nobody can change by a number of steps.
    """
    if not config.explanation.actionable:
        raise ConfigError(
            "No feature is marked as actionable.",
            where=f"pipelines/{config.name}.toml, {_SECTION}",
            why="Only what your team can change may be proposed, and only you know what that is.",
            fix=f'{_SECTION}\n"events.call.count_30d" = {{ min = 0, max = 10 }}',
        )
    known = {d.name: d for d in definitions}
    return [
        _lever(config.name, name, marked, known)
        for name, marked in sorted(config.explanation.actionable.items())
    ]


def _lever(pipeline: str, name: str, marked: Actionable, known: dict[str, FeatureDefinition]) -> Lever:
    where = f"pipelines/{pipeline}.toml, {_SECTION} {name[:80]}"
    if name not in known:
        raise ConfigError(
            f"The released model has no such feature.{nearest(name, known)}",
            where=where,
            fix="Name a feature as in the model card, or train and promote with it first.",
        )
    definition = known[name]
    if definition.kind == "category":
        raise ConfigError(
            "A category cannot be marked as actionable.",
            where=where,
            why="It has no bounds and no steps between them.",
            fix="Remove the line; mark features of kind number.",
        )
    if definition.unit in _NO_LEVER or is_season(definition):
        raise ConfigError(
            f"A feature of unit '{definition.unit}' of the family '{definition.family}' cannot be marked.",
            where=where,
            why="It is computed from other features or from the calendar: nobody changes it by itself.",
            fix="Mark the counts it is computed from.",
        )
    return Lever(definition, marked.min, marked.max, marked.step)
