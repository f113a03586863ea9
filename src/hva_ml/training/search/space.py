"""The ranges of ``[search]`` as a space that Optuna can draw from, and the cautious point where it begins."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from hva_ml import config as settings
from hva_ml.errors import ConfigError
from hva_ml.training.search.judging import Kind

STARTING_POINT: dict[str, float] = {
    "num_leaves": 15, "min_child_samples": 40, "feature_fraction": 0.7, "lambda_l2": 10.0,
}  # fmt: skip
ON_REQUEST = ("learning_rate", "lambda_l1", "path_smooth")
PARAMETERS = (*STARTING_POINT, *ON_REQUEST)
_INTEGERS = ("num_leaves", "min_child_samples")
_LEAST = {"num_leaves": 2.0, "min_child_samples": 1.0}
_MOST = {"feature_fraction": 1.0, "learning_rate": 1.0}


def space_of(kind: Kind, config: settings.Search, models: settings.Models) -> dict[str, BaseDistribution]:
    """Return what may be drawn; for value the family, too.

    Raises
    ------
    ConfigError
        If a range is upside down or out of bounds, or no family is named.
    """
    space: dict[str, BaseDistribution] = {}
    for name in PARAMETERS:
        given = getattr(config, name)
        if given is None:
            continue
        low, high = given
        least, most = _LEAST.get(name, 1e-9), _MOST.get(name, np.inf)
        if not least <= low <= high <= most:
            raise ConfigError(
                f"The range of {name} must be two numbers between {least:g} and {most:g}, low before high.",
                where=f"[search] {name} = [{low}, {high}]",
                fix="Leave the line out, or give a range within these bounds.",
            )
        if name in _INTEGERS:
            space[name] = IntDistribution(low, high, log=True)
        else:
            space[name] = FloatDistribution(low, high, log=name != "feature_fraction")
    if kind == "value":
        if not models.value:
            raise ConfigError(
                "No family for the value model is named.", where="[models] value", fix='value = ["tweedie"]'
            )
        space["distribution"] = CategoricalDistribution(tuple(models.value))
    return space


def families(kind: Kind, models: settings.Models) -> tuple[str, ...]:
    """Return the families of the value model that compete; one without a name for conversion."""
    return tuple(models.value) if kind == "value" else ("",)


def start(space: Mapping[str, BaseDistribution], family: str, models: settings.Models) -> dict[str, Any]:
    """Return the cautious starting point, moved into the ranges."""
    point = {**STARTING_POINT, "learning_rate": models.learning_rate, "lambda_l1": 0.0, "path_smooth": 0.0}
    params: dict[str, Any] = {}
    for name, distribution in space.items():
        if isinstance(distribution, CategoricalDistribution):
            params[name] = family
        elif isinstance(distribution, IntDistribution | FloatDistribution):
            value = min(max(point[name], distribution.low), distribution.high)
            params[name] = int(value) if isinstance(distribution, IntDistribution) else float(value)
    return params


def trees(params: Mapping[str, Any], models: settings.Models) -> dict[str, Any]:
    """Return the LightGBM parameters of a trial."""
    found = {"learning_rate": models.learning_rate}
    return found | {name: params[name] for name in PARAMETERS if name in params}
