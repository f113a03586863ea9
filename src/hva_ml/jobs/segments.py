"""Segments of a pipeline: to which one a row belongs, and their shifts as the last trees of a likelihood."""

from collections.abc import Sequence

import numpy as np

from hva_ml.calibration import Calibrated, Membership
from hva_ml.config import PipelineConfig
from hva_ml.errors import ConfigError, nearest
from hva_ml.features.definition import FeatureDefinition
from hva_ml.registry.bundle import Bundle
from hva_ml.training.booster import Booster
from hva_ml.training.matrix import Encoder
from hva_ml.training.sums import Floats, Steps, additive, combined, without_last


def category(
    config: PipelineConfig, definitions: Sequence[FeatureDefinition], asked: str, section: str
) -> int | None:
    """Return which feature makes the segments that a section names, None if it names none.

    Raises
    ------
    ConfigError
        If it is no category feature of the pipeline.
    """
    if not asked:
        return None
    names = [d.name for d in definitions if d.kind == "category"]
    if asked not in names:
        raise ConfigError(
            f"There is no category feature '{asked[:60]}'.{nearest(asked, names)}",
            where=f"pipelines/{config.name}.toml, [{section}] segment",
            why="A segment is one value of a category that the model knows.",
            fix=f"Use one of: {', '.join(names[:8]) or 'none, this pipeline has no category feature'}.",
        )
    return [d.name for d in definitions].index(asked)


def membership(X: Floats, encoder: Encoder, config: PipelineConfig) -> Membership | None:
    """Return to which segment each encoded row belongs; None where ``[models] segment`` is left out.

    A row without the category, or with a value that training has not seen, belongs to none.
    """
    asked = config.models.segment
    if not asked:
        return None
    place = encoder.names.index(asked)
    names = encoder.columns[place].categories
    known = X[:, place] < len(names)
    return Membership(asked, names, np.where(known, X[:, place], -1.0).astype(np.int64))


def shifts(calibrated: Calibrated, encoder: Encoder) -> list[Booster]:
    """Return the model that adds the shifts of segments to the margin, in a list; an empty one without any.

    It is one more tree on the segment's column, so that its exact contribution is a reason of that feature.
    """
    found, by = calibrated.segments, calibrated.margin_shift
    if found is None or by is None:
        return []
    between = np.arange(len(by), dtype=np.float64) + 0.5
    steps = Steps(encoder.names.index(found.feature), between, np.append(by, 0.0), 0.0)
    return [additive(0.0, [steps], encoder.names)]


def shifted(booster: Booster, calibrated: Calibrated, encoder: Encoder) -> Booster:
    """Return a likelihood with the shifts of its segments, or as it is where none are kept."""
    own = shifts(calibrated, encoder)
    return combined([booster, *own], [1.0] * (1 + len(own))) if own else booster


def unshifted(bundle: Bundle) -> Booster:
    """Return the trees of a release without the shifts of segments."""
    told = bundle.metadata.get("calibration", {}).get("segments") or {}
    return without_last(bundle.conversion, told["feature"]) if told.get("kept") else bundle.conversion
