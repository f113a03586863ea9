"""The sections about models: how they are searched for, fitted, split in time and let through."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool
from pydantic.dataclasses import dataclass

from hva_ml.config.names import FROZEN, Share


@dataclass(frozen=True, config=FROZEN)
class Models:
    """``[models]``: seeds, the families that may compete, and what is known before the data speak.

    `monotone` says which features may move the likelihood in one direction only: ``"hints"`` takes what each
    feature's definition suggests, a table names features and ``"rising"`` or ``"falling"``. With
    `half_life_days` a cohort so much older than the latest counts half, in training and in calibration of the
    likelihood. `base_rate` says whether probabilities keep the level of the calibration cohorts together
    (``"pooled"``) or follow where it drifts (``"drift"``). `interval` is how often published bounds hold:
    those of a probability for the rate of a coming cohort, those of a value for an account that converts.
    `value` names the families that compete for the value. `approach` says whether the expected value is made
    of likelihood and value if converted (``"hurdle"``) or learned at once from all rows (``"direct"``);
    ``"auto"`` judges both on held-out accounts. With `winsorise` the trees see values above that quantile as
    the quantile. `high_value` is the share of accounts that count as those of highest value: each account's
    likelihood of ending among them is learned by itself; 0 leaves that out. With `refit` the trees of the
    likelihood, or of both models, learn once more when map, level and bounds are known, from the calibration
    cohorts too, and keep that level. `segment` names a category feature: each of its values may have a shift
    of the log-odds of its own on top of the shared map, drawn to nothing as far as evidence is thin; the
    shifts are kept only if they pay on later rows. `run_rate` says whether past revenue that simply goes on
    may have a part of the log value beside the trees (``"auto"``: if the calibration cohorts bear it out).
    With `nowcast` cohorts whose horizon still runs move the level of likelihood and value, by what they have
    brought so far.
    """

    seed: int = 7
    calibration: Literal["platt", "beta", "auto"] = "platt"
    monotone: Literal["off", "hints"] | dict[str, Literal["rising", "falling"]] = "off"
    half_life_days: Annotated[float, Field(gt=0, le=36_500)] | None = None
    base_rate: Literal["drift", "pooled"] = "drift"
    interval: Annotated[float, Field(ge=0.5, le=0.99)] = 0.8
    value: tuple[Literal["tweedie", "gamma", "lognormal", "huber"], ...] = ("tweedie", "gamma", "lognormal")
    approach: Literal["hurdle", "direct", "auto"] = "hurdle"
    winsorise: Annotated[float, Field(ge=0.5, lt=1)] | None = None
    high_value: Annotated[float, Field(ge=0, le=0.5)] = 0.2
    refit: Literal["off", "likelihood", "both"] = "off"
    segment: str = ""
    run_rate: Literal["auto", "off"] = "auto"
    nowcast: StrictBool = True
    rounds: Annotated[int, Field(ge=10, le=5000)] = 400
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05

    def problem(self) -> tuple[str, str, str, str] | None:
        """Return key, what cannot be meant, why, and what mends it; None if all belongs together."""
        if self.segment and self.calibration != "platt":
            return (
                "calibration",
                f'Segments need calibration = "platt", not "{self.calibration}".',
                "Only where the map is a line is a shift of the log-odds one of the margin, which reasons "
                "carry exactly.",
                'Write calibration = "platt", or leave out segment.',
            )
        if self.segment and self.refit != "off":
            return (
                "refit",
                f'Segments and refit = "{self.refit}" exclude each other.',
                "Trees that learn once more from the calibration cohorts learn part of what segments add, "
                "and it would count twice.",
                'Write refit = "off", or leave out segment.',
            )
        return None


@dataclass(frozen=True, config=FROZEN)
class Search:
    """``[search]``: Optuna's budget for each of the two models, and the ranges it may look in.

    The search ends after `trials`, or earlier once `minutes` are over. `learning_rate`, `lambda_l1` and
    `path_smooth` are searched only where a range is given.
    With more than `max_rows` training rows the search looks at a sample of whole groups of accounts; the
    models themselves are always fitted on all rows. `learning_rate_factor` (1 to 10) makes trees learn so
    many times as fast while searching, so that a trial takes so many times fewer rounds; 1 searches at the
    rate of the models.
    """

    trials: Annotated[int, Field(ge=1, le=10_000)] = 12
    minutes: Annotated[float, Field(gt=0, le=10_080)] | None = None
    max_rows: Annotated[int, Field(ge=1000)] = 20_000
    num_leaves: tuple[int, int] = (4, 31)
    min_child_samples: tuple[int, int] = (20, 300)
    feature_fraction: tuple[float, float] = (0.3, 1.0)
    lambda_l2: tuple[float, float] = (0.1, 200.0)
    learning_rate_factor: Annotated[float, Field(ge=1, le=10)] = 2.0
    learning_rate: tuple[float, float] | None = None
    lambda_l1: tuple[float, float] | None = None
    path_smooth: tuple[float, float] | None = None


@dataclass(frozen=True, config=FROZEN)
class Split:
    """``[split]``: the last cutoffs test, those before calibrate, the rest train, embargoes between.

    With ``groups = "disjoint"`` an account and all accounts of its ultimate parent stand on one side only;
    with ``groups = "time"`` they may come back on a later side (the label windows still never overlap).
    """

    test_cutoffs: Annotated[int, Field(ge=1)] = 2
    calibrate_cutoffs: Annotated[int, Field(ge=1)] = 2
    embargo_days: Annotated[int, Field(ge=0)] = 0
    groups: Literal["disjoint", "time"] = "disjoint"
    test_share: Share = 0.3
    calibrate_share: Share = 0.2
    bootstrap: Annotated[int, Field(ge=20, le=10_000)] = 200


@dataclass(frozen=True, config=FROZEN)
class Checks:
    """``[checks]``: what the checks of a training may cost.

    `refits` fits the conversion model again, with two other seeds and with half of the accounts, for the
    checks of stability and of the learning curve.
    """

    refits: StrictBool = True


@dataclass(frozen=True, config=FROZEN)
class Gates:
    """``[gates]``: what a run must show on the untouched cutoffs before it may be promoted."""

    min_converted: Annotated[int, Field(ge=0)] = 40
    min_roc_auc: Annotated[float, Field(ge=0, le=1)] = 0.5
    max_calibration_error: Annotated[float, Field(gt=0, le=1)] = 0.1
    total_ratio: tuple[float, float] = (0.7, 1.4)
    beat_baselines: tuple[str, ...] = ("prevalence", "recency_frequency_monetary")
    champion_tolerance: Annotated[float, Field(ge=0, le=1)] = 0.01
