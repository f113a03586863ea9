"""A team's own feature groups: a function or a query that is shown, at each cutoff, only what was known then.

Nothing later can reach it: the tables are cut by both clocks before it is called, once for every cutoff.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import OwnFeatures, PipelineConfig
from hva_ml.contracts.records import ContractTables
from hva_ml.cutoffs import Calendar
from hva_ml.errors import ContractError
from hva_ml.features.definition import FeatureDefinition

Compute = Callable[[Mapping[str, pa.Table], pa.Array, datetime], pa.Table]
"""From the tables as known before the cutoff, the ids of the accounts then, and the cutoff (UTC), to a table
with ``account_id``, at most one row for each account, and the declared columns."""


@dataclass(frozen=True)
class OwnGroup:
    """One declared group, ready for `build`; see ``build.FeatureGroup``.

    Attributes
    ----------
    declared : OwnFeatures
        Name, tables and columns as the pipeline file declares them.
    compute : callable
        See `Compute`.
    where : str
        The file that it comes from, for errors.
    """

    declared: OwnFeatures
    compute: Compute
    where: str

    def __call__(
        self, tables: ContractTables, index: pa.Table, calendar: Calendar, config: PipelineConfig
    ) -> tuple[Sequence[FeatureDefinition], Sequence[Any]]:
        """Return definitions and columns in the row order of `index`.

        Raises
        ------
        ContractError
            If what it gives is no table of known accounts with the declared columns.
        """
        del config
        wanted = ContractTables({n: tables.tables[n] for n in self.declared.tables if n in tables.tables})
        parts: list[dict[str, pa.Array]] = []
        for moment in calendar.cutoffs:
            here = pc.equal(index["cutoff"], pa.scalar(moment, index["cutoff"].type))
            ids = index.filter(here)["account_id"].combine_chunks()
            parts.append(self._columns(self.compute(wanted.upto(moment).tables, ids, moment), ids))
        # Rows of the index are ordered by cutoff, so the parts only follow each other.
        columns = [pa.concat_arrays([p[name] for p in parts]) for name in self.declared.columns]
        return self.definitions(), columns

    def definitions(self) -> tuple[FeatureDefinition, ...]:
        """Return what the columns mean."""
        d = self.declared
        return tuple(
            FeatureDefinition(
                f"own.{d.name}.{name}", c.family, c.kind, d.tables[0], "own", c.unit, c.de, c.en
            )
            for name, c in d.columns.items()
        )

    def _columns(self, made: object, ids: pa.Array) -> dict[str, pa.Array]:
        if not isinstance(made, pa.Table):
            raise self._refused(f"it gives {type(made).__name__}, not a pyarrow.Table")
        missing = [c for c in ("account_id", *self.declared.columns) if c not in made.column_names]
        if missing:
            raise self._refused(f"the column '{missing[0][:40]}' is missing")
        theirs = made["account_id"].combine_chunks().cast(pa.string())
        if theirs.null_count or len(theirs.unique()) < len(theirs):
            raise self._refused("an account has several rows, or a row no account")
        place = pc.index_in(ids, theirs)
        found = {}
        for name, column in self.declared.columns.items():
            kind = pa.string() if column.kind == "category" else pa.float64()
            try:
                found[name] = made[name].combine_chunks().cast(kind).take(place)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise self._refused(f"'{name}' is {made[name].type}, not a {column.kind}") from error
        return found

    def _refused(self, what: str) -> ContractError:
        return ContractError(
            f"The feature group '{self.declared.name}' cannot be used: {what}.",
            where=self.where,
            why="Every account has exactly one value of a feature at a cutoff.",
            fix=f"Give account_id, once each, and {', '.join(self.declared.columns)}.",
        )
