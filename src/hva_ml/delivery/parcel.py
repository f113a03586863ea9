"""What goes out: one published run, every byte held to its hash, as flat tables in pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from hva_ml.config import SinkTable
from hva_ml.delivery.current import Current
from hva_ml.delivery.shapes import SOURCES, flat
from hva_ml.folders import MANIFEST, file_entry
from hva_ml.publication import Published, reading


@dataclass(frozen=True, eq=False)
class Parcel:
    """One published run on its way out.

    Attributes
    ----------
    folder : pathlib.Path
        ``data/scores/<pipeline>``.
    run : Published
        The run.
    pipeline, currency : str
        Whose, and in which currency.
    """

    folder: Path
    run: Published
    pipeline: str
    currency: str

    @cached_property
    def current(self) -> Current:
        """What a sink says of this run, without its tables."""
        identity, stale = self.run.identity, self.run.stale
        return Current(
            self.pipeline, self.run.run_id, date.fromisoformat(identity["as_of"]),
            str(identity["model_version"]), str(file_entry(self.run.path / MANIFEST)["sha256"]),
            self.currency, stale is not None, stale.missing if stale else None,
        )  # fmt: skip

    def pieces(self, table: SinkTable) -> Iterator[pa.Table]:
        """Yield a table in the form of `shapes.SCHEMAS`; nothing if the run has no such table.

        Raises
        ------
        IntegrityError
            If a single bit is not as it was published.
        """
        source = SOURCES.get(table, table)
        if source in self.run.rows:
            for piece in reading.pieces(self.folder, source, self.run.run_id):
                yield from flat(table, piece)
