"""What a published run says of the lifetime value of customers, read under its hash, in a sentence."""

import pyarrow.compute as pc

from hva_ml import publication
from hva_ml.explanation.lifetime import Reach, customer_sentence, customers_sentence
from hva_ml.explanation.reader import Reader
from hva_ml.publication import Published, reading
from hva_ml.registry.bundle import Bundle
from hva_ml.workspace import Workspace

TABLE = "lifetime"


def lifetime_of(
    ws: Workspace, pipeline: str, run: Published, bundle: Bundle, account: str, reader: Reader
) -> str:
    """Return the sentence on one account; empty if it is no customer, or the run tells no lifetime value.

    Raises
    ------
    IntegrityError
        If the table is not as it was published.
    """
    if bundle.lifetime is None or TABLE not in run.rows:
        return ""
    rows = publication.read(ws.scores(pipeline), TABLE, run.run_id, account=account).sort_by("horizon_days")
    told = ("from_days", "horizon_days", "value", "survival")
    curve = [Reach(**row) for row in rows.select(told).to_pylist()]
    return customer_sentence(curve, bundle.lifetime.discount_per_year, reader)


def lifetime_of_all(ws: Workspace, pipeline: str, run_id: str, bundle: Bundle, reader: Reader) -> str:
    """Return the sentence on all customers of a run; empty if it tells no lifetime value.

    Raises
    ------
    IntegrityError
        If the table is not as it was published.
    """
    folder = ws.scores(pipeline)
    if bundle.lifetime is None or TABLE not in reading.published(folder / reading.RUNS / run_id).rows:
        return ""
    rows = publication.read(folder, TABLE, run_id, columns=["from_days", "horizon_days", "value"])
    edges = sorted(set(zip(rows["from_days"].to_pylist(), rows["horizon_days"].to_pylist(), strict=True)))
    parts = [(a, b, rows.filter(pc.equal(rows["horizon_days"], b))["value"]) for a, b in edges]
    totals = [Reach(a, b, float(pc.sum(values).as_py())) for a, b, values in parts]
    customers = len(parts[0][2]) if parts else 0
    return customers_sentence(customers, totals, bundle.lifetime.discount_per_year, reader)
