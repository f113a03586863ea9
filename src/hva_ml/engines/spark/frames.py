"""A function over record batches applied to any Spark frame, whatever its columns are called."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from hva_ml.engines.spark.session import quiet

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Batches = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def mapped(frame: "DataFrame", function: Batches, schema: str) -> "DataFrame":
    """Return ``frame.mapInArrow(function, schema)``, for frames whose columns have dots in their names, too.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        The rows.
    function : callable
        Sees batches with the columns of the frame.
    schema : str
        Columns of what it gives, in the words of Spark.
    """
    with quiet():
        plain = frame.toDF(*[f"c{place}" for place in range(len(frame.columns))])
        return plain.mapInArrow(_Named(function, tuple(frame.columns)), schema)


class _Named:
    """The function as Spark calls it, on columns that are only numbered."""

    def __init__(self, function: Batches, names: tuple[str, ...]) -> None:
        self._function, self._names = function, names

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return self._function(batch.rename_columns(list(self._names)) for batch in batches)
