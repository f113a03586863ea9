"""Tables of Spark's catalog as Arrow, for what looks at whole sources."""

from collections.abc import Iterator

import pyarrow as pa

from hva_ml.engines.base import CatalogTable
from hva_ml.engines.spark.engine import SparkEngine


def whole(source: CatalogTable, name: str) -> pa.Table:
    """Return all rows of a table in Spark's catalog; see `pieces`."""
    return pa.concat_tables(pieces(source, name))


def pieces(source: CatalogTable, name: str) -> Iterator[pa.Table]:
    """Yield the rows of a table in Spark's catalog piece by piece, at least one.

    Parameters
    ----------
    source : CatalogTable
        The table.
    name : str
        What the source is called in its pipeline.

    Raises
    ------
    HvaError
        If pyspark or Java is missing.
    SourceError
        If Spark cannot read it.
    """
    engine = SparkEngine()
    try:
        engine.register("wanted", source)
        yield from engine.rows("SELECT * FROM wanted", f"[sources.{name}]")
    finally:
        engine.close()
