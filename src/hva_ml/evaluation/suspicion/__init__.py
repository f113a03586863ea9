"""Suspicion rules: what in the data behaves as if it had been recorded after the fact.

The probes of `features.leakage` prove; these rules only point. They look at labels, so they see leaks that no
cutting of data can show: fields of a snapshot that were filled in once a deal was closed.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hva_ml.contracts.probes import Probed
from hva_ml.cutoffs import Calendar
from hva_ml.errors import UsageError
from hva_ml.evaluation.suspicion.dates import later_dates
from hva_ml.evaluation.suspicion.emptiness import future_information, missing_values
from hva_ml.evaluation.suspicion.power import MIN_EACH, presence_power, single_power
from hva_ml.evaluation.suspicion.together import HINT_AUC, hint, together
from hva_ml.features.definition import FeatureSet

__all__ = ["HINT_AUC", "MIN_EACH", "hint", "suspicious", "together"]


def suspicious(features: FeatureSet, converted: npt.NDArray[np.int8], calendar: Calendar) -> Sequence[Probed]:
    """Ask every feature whether it predicts, or is filled in, as if it had been recorded after the fact.

    Parameters
    ----------
    features : FeatureSet
        Features of matured cutoffs.
    converted : numpy.ndarray of int8, shape (n_rows,)
        1 where the account converted within the horizon.
    calendar : Calendar
        The cutoffs.

    Returns
    -------
    sequence of Probed
        ``HVL010`` power of single features, ``HVL011`` power of whether they are known, ``HVL012`` future
        information, ``HVL013`` missing values, ``HVL015`` dates after the cutoff. The first four are not
        applicable with fewer than 20 rows of either class.

    Raises
    ------
    UsageError
        If the number of labels is not the number of rows.
    """
    actual = np.asarray(converted) == 1
    if len(actual) != features.table.num_rows:
        raise UsageError(
            "Labels and features have different numbers of rows.",
            where=f"{len(actual)} labels, {features.table.num_rows} rows",
            fix="Build both from the same index.",
        )
    few = int(min(actual.sum(), (~actual).sum()))
    why = f"only {few} rows of one outcome; {MIN_EACH} are needed" if few < MIN_EACH else ""
    rules = (
        ("HVL010", "single-feature power", "AUC of each of {n} features alone", single_power),
        ("HVL011", "power of presence", "AUC of whether each of {n} features is known", presence_power),
        ("HVL012", "future information", "lift of each value of mostly empty attributes", future_information),
        ("HVL013", "missing values", "lift of the rows where an attribute is missing", missing_values),
    )
    asked = [
        Probed(
            code,
            name,
            f"{what.format(n=len(features.names))}, over {len(actual):,} rows.",
            () if why else tuple(rule(features, actual)),
            why,
        )
        for code, name, what, rule in rules
    ]
    return (*asked, later_dates(features, calendar))
