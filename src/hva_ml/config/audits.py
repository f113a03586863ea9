"""The section ``[audit]`` of a pipeline file: what a night must hold before it goes out."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

Portion = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=1, allow_inf_nan=False)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Audit:
    """``[audit]``: what a run of scores must hold before it is published, most of it against last night.

    A run is compared with the one that counts until then if their days are at most `within_days` apart; its
    distribution, tiers and total only if the same release made both. The first run is held to `fresh_days`,
    `max_silence`, `max_unseen` and `max_without_history` alone. A run that does not hold is not published,
    unless somebody gives a reason (`hva score … --force`).
    """

    within_days: Annotated[int, Field(ge=0)] = 10
    accounts: tuple[Ratio, Ratio] = (0.9, 1.1)
    max_gone: Portion = 0.1
    max_null_shift: Portion = 0.1
    max_level_change: Factor = 1.5
    max_psi: Ratio = 0.1
    max_tier_churn: Portion = 0.15
    total_value: tuple[Ratio, Ratio] = (0.8, 1.25)
    max_unseen: Portion = 0.2
    max_without_history: Portion = 0.98
    max_without_history_rise: Portion = 0.1
    fresh_days: Annotated[int, Field(ge=1)] = 45
    max_silence: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 2.0
    may_be_silent: tuple[str, ...] = ()
    max_zoneless_rise: Portion = 0.001
    min_varied: Portion = 0.05
    may_be_constant: tuple[str, ...] = ()
    max_rewritten: Portion = 0.05

    def __post_init__(self) -> None:
        if not all(low <= 1 <= high for low, high in (self.accounts, self.total_value)):
            raise ValueError(
                "accounts and total_value are [lowest, highest] times last night's: 1 is between"
            )
