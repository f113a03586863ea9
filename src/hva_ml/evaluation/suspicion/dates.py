"""Values that name a day, month or year after the cutoff: unknown then, unless as a plan."""

import re
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts.probes import Probed
from hva_ml.contracts.records import Violation
from hva_ml.cutoffs import Calendar
from hva_ml.features.definition import FeatureDefinition, FeatureSet

DATE = re.compile(r"(19|20)\d\d(-(0[1-9]|1[0-2])(-[0-3]\d)?)?")

_FIX = (
    "Leave the feature out, or give the value of each cutoff. "
    "If it is a plan that was known before, such as the end of a contract, keep it."
)


def later_dates(features: FeatureSet, calendar: Calendar) -> Probed:
    """Find features whose values are dates, some of them after the cutoff of their row.

    A feature holds dates if all its values read as a year, month or day: whole numbers from 1900 to 2099, or
    text such as ``2024``, ``2024-07`` or ``2024-07-01``. A date is later if no moment of it lies before the
    cutoff.

    Parameters
    ----------
    features : FeatureSet
        Features at cutoffs of `calendar`.
    calendar : Calendar
        The cutoffs.

    Returns
    -------
    Probed
        ``HVL015`` warning with the number of rows; not applicable if no feature holds dates.
    """
    found: list[Violation] = []
    dated = 0
    moments = pa.array(calendar.micros, pa.int64())
    place = pc.index_in(features.table["cutoff"].cast(pa.int64()), value_set=moments).to_numpy()
    last_days = [(day - timedelta(days=1)).isoformat() for day in calendar.days]
    for definition in features.definitions:
        values = _dates(features.table[definition.name], definition)
        if values is None:
            continue
        dated += 1
        pairs = {(k, v): v > last_days[k][: len(v)] for k, v in set(zip(place, values, strict=True)) if v}
        later = sum(pairs[k, v] for k, v in zip(place, values, strict=True) if v)
        if later:
            what = "Values of this feature are dates after the cutoff: it describes what was still to come."
            found.append(
                Violation("HVL015", definition.name, later, "warning", what, _FIX, (definition.name,))
            )
    return Probed(
        "HVL015",
        "dates after the cutoff",
        f"{dated} of {len(features.names)} features hold dates, over {features.table.num_rows:,} rows.",
        tuple(found),
        "" if dated else "no feature holds dates",
    )


def _dates(column: pa.ChunkedArray, definition: FeatureDefinition) -> list[str | None] | None:
    """Return the values as text, or None if they are no dates."""
    distinct = pc.unique(column).drop_null()
    if not len(distinct):
        return None
    if definition.kind == "number":
        numbers = np.asarray(distinct.to_numpy())
        if not ((numbers == np.floor(numbers)) & (numbers >= 1900) & (numbers < 2100)).all():
            return None
        return [None if v is None else str(int(v)) for v in column.to_pylist()]
    if not all(DATE.fullmatch(v) for v in distinct.to_pylist()):
        return None
    return list(column.to_pylist())
