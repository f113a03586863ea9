"""What became of leads: won or not, what it was worth, and when it was known."""

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.contracts.decisions import Decisions


def of_leads(ids: pa.ChunkedArray, told: Decisions, index: pa.Table) -> pa.Table:
    """Return the labels of leads that are decided.

    Parameters
    ----------
    ids : pyarrow.ChunkedArray, shape (n_leads,)
        Leads, each once.
    told : Decisions
        Of these.
    index : pyarrow.Table
        ``account_id`` and ``cutoff`` of decided leads, in any order.

    Returns
    -------
    pyarrow.Table
        ``account_id``, ``cutoff``, ``converted`` (int8), ``value_cents`` (int64), ``position`` (int64) and
        ``delay`` (float64, infinite where not won) as in `Decisions`, in the order of `index`.
    """
    place = pc.index_in(index["account_id"].combine_chunks(), value_set=ids.combine_chunks())
    return pa.table(
        {
            "account_id": index["account_id"],
            "cutoff": index["cutoff"],
            "converted": pa.array(told.won).cast(pa.int8()).take(place),
            "value_cents": pa.array(told.cents).take(place),
            "position": pa.array(told.position).take(place),
            "delay": pa.array(told.delay).take(place),
        }
    )
