"""Everything kept of the nights that one release has scored: what is judged as one."""

from dataclasses import dataclass

from hva_ml.monitoring.digest import Digest
from hva_ml.monitoring.outcomes import Outcome
from hva_ml.monitoring.reference import Reference
from hva_ml.monitoring.under_way import UnderWay

# What a ranking is held to: the whole order, and where the money is.
RANKINGS = ("roc_auc", "captured_revenue_top_20")


@dataclass(frozen=True)
class Release:
    """The nights of one release.

    Attributes
    ----------
    release : str
        Its hash.
    nights : tuple of Digest
        At least one, oldest first.
    reference : Reference or None
        What they are compared with; None for releases trained before there was one.
    outcomes : tuple of Outcome
        Of complete nights, oldest first.
    wait_days : int
        Days until a night is complete.
    under_way : tuple of UnderWay
        Followed nights.
    """

    release: str
    nights: tuple[Digest, ...]
    reference: Reference | None
    outcomes: tuple[Outcome, ...] = ()
    wait_days: int = 0
    under_way: tuple[UnderWay, ...] = ()

    @property
    def foreseen(self) -> tuple[Outcome, ...]:
        """Complete nights that the release has not learned from: only these keep or break a promise."""
        if self.reference is None:
            return self.outcomes
        return tuple(o for o in self.outcomes if o.day >= self.reference.learned)

    @property
    def in_hindsight(self) -> bool:
        """Whether all nights lie before the release has learned."""
        return self.reference is not None and self.nights[-1].day < self.reference.learned
