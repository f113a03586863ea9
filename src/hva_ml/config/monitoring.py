"""The section ``[monitoring]`` of a pipeline file: what may change over the nights before it is an alarm."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from hva_ml.config.audits import Factor, Portion, Ratio
from hva_ml.config.names import FROZEN


@dataclass(frozen=True, config=FROZEN)
class Monitoring:
    """``[monitoring]``: how much may change before `hva monitor` raises an alarm, and how often it may err.

    What is tolerated is told apart from what chance does: an alarm means that the change is beyond the bound
    and that chance would show it at most `false_alarms_per_year` times a year, over all features, segments
    and nights together. With few accounts a change must therefore be larger to be told.
    """

    false_alarms_per_year: Annotated[float, Field(gt=0, le=50)] = 1.0
    confirm_nights: Annotated[int, Field(ge=1, le=30)] = 2
    max_drift: Ratio = 0.1
    max_volume_change: Factor = 1.5
    max_loss: Annotated[float, Field(gt=0, lt=0.5)] = 0.03
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 0.1
    max_worked: Portion = 0.5
    max_age_days: Annotated[int, Field(ge=1)] | None = None
    segment: str = ""
