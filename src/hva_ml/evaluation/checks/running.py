"""Whether cohorts whose horizon still runs bring what was promised of them."""

from collections.abc import Iterator, Mapping
from math import exp
from typing import Any

from hva_ml.contracts.records import Violation

STARTLING = 2.0


def running(found: Mapping[str, Mapping[str, Any]] | None) -> Iterator[Violation]:
    """Yield ``HVA019`` where they bring so much more or less that the latest rows may be at fault.

    Parameters
    ----------
    found : mapping or None
        What they say of ``likelihood`` and ``value``: `ratio` and `sd` on log scale, and the `looks`.
    """
    for kind, what in (("likelihood", "conversions"), ("value", "value")):
        told = (found or {}).get(kind)
        if told and told["looks"] and abs(told["ratio"]) > STARTLING * told["sd"]:
            days = sorted(look["days"] for look in told["looks"])
            yield Violation(
                "HVA019", "[models] nowcast", len(days), "warning",
                f"Cohorts whose horizon still runs ({days[0]} to {days[-1]} days old) have brought "
                f"{exp(told['ratio']):.2f} times the {what} promised by then: the market has turned, or the "
                f"latest rows are wrong. It moved the level by a factor of {exp(told['moved']):.2f}.",
                "Look whether the latest export is whole; if not, set [cutoffs] data_end to the first day "
                "without all rows, or nowcast = false.",
            )  # fmt: skip
