"""Which rows are conversions: the one answer that labels, population and fit share."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import Target


def conversions(table: pa.Table, target: Target) -> npt.NDArray[np.bool_]:
    """Return which rows of the target table are conversions, whatever their time.

    Parameters
    ----------
    table : pyarrow.Table
        Contract table ``target.table``, shape (n_rows, …).
    target : hva_ml.config.Target
        Invoices convert by a positive amount, deals by the stage 'won', events by one of ``event_types``.

    Returns
    -------
    numpy.ndarray of bool, shape (n_rows,)
        False where the deciding cell is empty.
    """
    if target.table == "invoices":
        found = pc.greater(table["amount_cents"], 0)
    elif target.table == "deal_stages":
        found = pc.equal(table["stage"], "won")
    else:
        found = pc.is_in(table["event_type"], value_set=pa.array(target.event_types, pa.string()))
    return np.asarray(pc.fill_null(found, False).to_numpy(), dtype=np.bool_)
