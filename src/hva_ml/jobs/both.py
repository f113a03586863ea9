"""The accounts that two published runs have in common, as either release reads them."""

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.errors import RefusedError
from hva_ml.explanation.changes import Seen
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.jobs.published import Run


def holds(table: pa.Table, definition: FeatureDefinition) -> bool:
    """Return whether a table has the column of a feature, of its kind."""
    name = definition.name
    return name in table.column_names and (
        pa.types.is_string(table[name].type) == (definition.kind == "category")
    )


class Both:
    """The accounts of both runs, and what they were like in each."""

    def __init__(self, old: Run, new: Run) -> None:
        self.old, self.new = old, new
        self.ids = tuple(sorted(set(old.ids) & set(new.ids)))
        if not self.ids:
            raise RefusedError(
                "The two runs have no account in common.", where=f"{old.run_id}, {new.run_id}",
                fix="Compare runs of one population.",
            )  # fmt: skip
        self.place = {i: k for k, i in enumerate(self.ids)}
        ids = pa.array(self.ids, pa.string())
        self.rows0, self.rows1 = (pc.index_in(ids, pa.array(run.ids, pa.string())) for run in (old, new))
        self.was, self.now = old.features.take(self.rows0), new.features.take(self.rows1)

    def seen(self, run: Run) -> Seen:
        """Return the accounts as a run's release reads them; what one run lacks is taken from the other."""
        home = self.was if run is self.old else self.now

        def told(table: pa.Table) -> FeatureSet:
            columns = {"account_id": table["account_id"]}
            for d in run.bundle.definitions:
                columns[d.name] = (table if holds(table, d) else home)[d.name]
            return FeatureSet(pa.table(columns), run.bundle.definitions)

        encoder = run.bundle.encoder
        before, after = (encoder.transform(told(t)) for t in (self.was, self.now))
        return Seen(run.bundle, encoder.names, before, after)
