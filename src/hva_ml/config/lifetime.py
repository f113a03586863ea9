"""The section ``[lifetime]``: what existing customers are worth beyond the horizon of the pipeline."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from hva_ml.config.names import FROZEN, Days


@dataclass(frozen=True, config=FROZEN)
class Lifetime:
    """``[lifetime]``: further horizons for customers who have bought before; without `days` there is none.

    `days` rise; those beyond ``[horizon] days`` are learned window by window, each from cohorts for which it
    is over, and a horizon equal to it is the expected value itself. Value is the sum of all windows up to a
    horizon, those of later money divided by ``(1 + discount_per_year)`` to the power of years until the
    middle of its window.
    """

    days: Annotated[tuple[Days, ...], Field(max_length=6)] = ()
    discount_per_year: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def __post_init__(self) -> None:
        if any(b <= a for a, b in pairwise(self.days)):
            raise ValueError("days must rise, each horizon longer than the one before")
