"""The sections about what sellers read: tiers, capacity and explanations."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hva_ml.config.names import FROZEN, Share


@dataclass(frozen=True, config=FROZEN)
class Scoring:
    """``[scoring]``: tiers by cumulative expected value, and how many accounts the team can work.

    `tiers` are upper shares: with ``{A = 0.5, B = 0.8}`` the best accounts that together hold half of the
    expected value are A, those up to 80 % are B, the rest C. An account whose `strategic_weight` reaches
    `strategic_from` is at least of tier `strategic_tier`; its probability and value stay as they are.
    """

    tier_a: Share = 0.5
    tier_b: Share = 0.8
    capacity: Annotated[int, Field(ge=1)] = 50
    reasons: Annotated[int, Field(ge=1, le=20)] = 3
    strategic_from: float | None = None
    strategic_tier: Literal["A", "B"] = "B"


@dataclass(frozen=True, config=FROZEN)
class Actionable:
    """``[explanation.actionable]``: a feature that your team can change, as ``"feature" = { … }``.

    `min` and `max` bound what is proposed, in steps of `step`. Only features of kind number; all that are not
    listed are frozen. List every window of an activity and its recency: they move together, for one more call
    in 30 days is one more in 90 days, and was the last one.
    """

    min: Annotated[float, Field(allow_inf_nan=False)]
    max: Annotated[float, Field(allow_inf_nan=False)]
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    def __post_init__(self) -> None:
        if not self.min < self.max or (self.max - self.min) / self.step > 100:
            raise ValueError("min must lie below max, and at most 100 steps between them")


@dataclass(frozen=True, config=FROZEN)
class Explanation:
    """``[explanation]``: whom scores are compared with, and what explanations need to know beyond the model.

    `reference` is whom: the typical account (made up of medians), the real account nearest to it (`medoid`),
    the average account that converted (`won`), or the accounts where tier A ends (`threshold`). `segment`
    names a category feature: an account is then compared with its own segment, if that had `segment_rows`
    rows in the training. `languages` are those in which every night's reasons are published in words.
    `controller` is who answers questions of persons concerned, as it stands on their information sheet: name,
    address, and how to reach the data protection officer. `actionable` names the features that your team can
    change, for `hva advise`.
    """

    reference: Literal["typical", "medoid", "won", "threshold"] = "typical"
    segment: str = ""
    segment_rows: Annotated[int, Field(ge=1)] = 200
    languages: tuple[Literal["de", "en"], ...] = ()
    country: Literal["DE", "AT", "CH"] = "DE"
    controller: str = ""
    actionable: dict[str, Actionable] = Field(default_factory=dict)
