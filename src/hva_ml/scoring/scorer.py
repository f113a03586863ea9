"""A model that travels: rows of features in, likelihood and value out, where the rows are, as on Spark.

It is sent as the plain files of its release and held to their hashes where it arrives; nothing is pickled
but bytes.
"""

import tempfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.engines.spark import mapped
from hva_ml.errors import ContractError, nearest
from hva_ml.features.definition import FeatureSet
from hva_ml.registry.bundle import NUMBERS, Bundle

Files = tuple[tuple[str, bytes], ...]


class Scorer:
    """Scores record batches, or the rows of a Spark frame where they are.

    A row gets the same bits as in ``Bundle.predict``, whatever stands in a batch with it.

    Parameters
    ----------
    bundle : Bundle
        The model.

    Attributes
    ----------
    release : str
        Hash of the model.
    schema : str
        Columns of the result, in the words of Spark: account_id, cutoff, then the `NUMBERS` of a bundle.
    """

    schema = ", ".join(["account_id string", "cutoff timestamp", *(f"{name} double" for name, _ in NUMBERS)])

    def __init__(self, bundle: Bundle) -> None:
        self.release = bundle.release
        with tempfile.TemporaryDirectory(prefix="hva-scorer-") as name:
            folder = Path(name) / "bundle"
            bundle.write(folder)
            self._files: Files = tuple((p.name, p.read_bytes()) for p in sorted(folder.iterdir()))

    def spark(self, frame: Any) -> Any:
        """Score a Spark frame of features; nothing runs yet.

        Parameters
        ----------
        frame : pyspark.sql.DataFrame
            Columns as for batches. Executors need this package.

        Returns
        -------
        pyspark.sql.DataFrame
            Columns as in `schema`, one row for each row.
        """
        return mapped(frame, self, self.schema)

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Score batches one after the other.

        Parameters
        ----------
        batches : iterable of pyarrow.RecordBatch
            With account_id, cutoff, and the features of the model by name; further columns are ignored.

        Raises
        ------
        IntegrityError
            If what arrived is not what was sent.
        ContractError
            If a column is missing, or has another kind than in training.
        """
        bundle = _opened(self._files)
        for batch in batches:
            told = bundle.predict(_features(batch, bundle))
            yield pa.record_batch(
                {
                    "account_id": batch["account_id"],
                    "cutoff": batch["cutoff"],
                    **{name: pa.array(numbers, from_pandas=True) for name, numbers in told.numbers.items()},
                }
            )


@lru_cache(maxsize=2)
def _opened(files: Files) -> Bundle:
    """Open a model once for each process."""
    with tempfile.TemporaryDirectory(prefix="hva-scorer-") as name:
        for file, content in files:
            (Path(name) / file).write_bytes(content)
        return Bundle.read(Path(name))


def _features(batch: pa.RecordBatch, bundle: Bundle) -> FeatureSet:
    wanted = {"account_id": pa.string(), "cutoff": pa.timestamp("us", "UTC")}
    wanted |= {d.name: pa.float64() if d.kind == "number" else pa.string() for d in bundle.definitions}
    for name in wanted:
        if name not in batch.schema.names:
            raise ContractError(
                f"The column '{name}' is missing.{nearest(name, batch.schema.names)}",
                where="rows to score",
                why="A feature that is silently unknown for all accounts gives another score.",
                fix="Give all features of the model, as in features.parquet of a published run.",
            )
    table = pa.table([batch[n].cast(kind) for n, kind in wanted.items()], names=list(wanted))
    return FeatureSet(table, bundle.definitions)
