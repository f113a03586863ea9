"""Cohort by cohort: how many conversions brought a value between the bounds that were told before."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from hva_ml.evaluation.metrics import ModelPrediction
from hva_ml.evaluation.ranking import Floats


def coverage(
    prediction: ModelPrediction, converted: npt.NDArray[Any], value: Floats, days: Sequence[date]
) -> list[dict[str, Any]]:
    """Return how the bounds of values held, by cutoff; nothing where there are none.

    Parameters
    ----------
    prediction : ModelPrediction
        With bounds of the values.
    converted, value : numpy.ndarray, shape (n_rows,)
        1 or 0, and what was brought, currency units.
    days : sequence of datetime.date, length n_rows
        Cutoff of each row.

    Returns
    -------
    list of dict
        cutoff (ISO), conversions, and the shares of them that lay inside, below and above; JSON-ready.
    """
    if prediction.value_bounds is None:
        return []
    low, high = prediction.value_bounds
    of_day = np.array([d.isoformat() for d in days])
    told = []
    for day in np.unique(of_day[converted == 1]).tolist():
        here = (of_day == day) & (converted == 1)
        below, above = float((value < low)[here].mean()), float((value > high)[here].mean())
        told.append(
            {
                "cutoff": day,
                "conversions": int(here.sum()),
                "inside": float(((low <= value) & (value <= high))[here].mean()),
                "below": below,
                "above": above,
            }
        )
    return told
