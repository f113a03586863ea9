"""The tables behind an overview: topics overall and by segment, dependence on values, the swarm, tiers."""

from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.errors import UsageError, nearest
from hva_ml.explanation.dependence import of_category, of_number, swarm
from hva_ml.explanation.overview import Group, among, group, importance, leads, means, mentioned, rises
from hva_ml.explanation.phrases import is_season, span, stated
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.reasons import topic_labels
from hva_ml.explanation.selection import Floats, topics
from hva_ml.features.definition import FeatureDefinition
from hva_ml.jobs.published import Run, numeric

NUMBERS, CATEGORIES, SWARMED = 6, 2, 8
LEAST = 0.01
TIERS = ("A", "B", "C")


class Weights:
    """One run's contributions, as tables in a reader's words.

    Parameters
    ----------
    run : Run
        The run.
    contributions : numpy.ndarray of float64, shape (n_accounts, n_features)
        As published.
    limit : int
        Most reasons told for each direction.
    reader : Reader
        Whom we speak to.
    """

    def __init__(self, run: Run, contributions: Floats, limit: int, reader: Reader) -> None:
        self.run, self.contributions, self.reader = run, contributions, reader
        self.definitions = run.bundle.definitions
        self.found = topics(self.definitions, contributions)
        self.told = mentioned(self.found, limit)
        self.sizes = means(np.abs(contributions))
        self.leads = dict(zip(self.found.names, leads(self.found, contributions), strict=True))
        named = topic_labels(
            self.definitions,
            np.array(self.sizes),
            language="de" if reader.german else "en",
            country=reader.country,
        )
        self.labels = {t: named[j] for t, j in self.leads.items()}

    @cached_property
    def overall(self) -> pa.Table:
        """Every topic over all accounts, heaviest first.

        Columns of `explanation.overview.importance`, then label, family, and rank_correlation: of the values
        of the topic's heaviest feature with the topic's effect, null where that is no number.
        """
        table = importance(self.found, self.told)
        place = {t: k for k, t in enumerate(self.found.names)}
        tied = [
            rises(values, self.found.effects[:, place[t]]) if (values := self._lead(t)) is not None else None
            for t in table["topic"].to_pylist()
        ]
        return self._named(table).append_column("rank_correlation", pa.array(tied, pa.float64()))

    def segments(self, by: FeatureDefinition) -> pa.Table:
        """Return every topic in every segment of a category feature, the largest segment first.

        Columns of `explanation.overview.importance`, then label, family, segment (null where unknown),
        segment_label, n_accounts and expected_value (their sum, currency units).
        """
        column = self.run.features[by.name].combine_chunks()
        worth = numeric(self.run.scores["expected_value"])
        counts = [(r["counts"], r["values"]) for r in column.value_counts().to_pylist()]
        parts = []
        for n, value in sorted(counts, key=lambda c: (-c[0], c[1] is None, c[1] or "")):
            mask = pc.is_null(column) if value is None else pc.fill_null(pc.equal(column, value), False)
            rows = np.asarray(mask.to_numpy(zero_copy_only=False), dtype=np.bool_)
            table = self._named(importance(among(self.found, rows), self.told[rows]))
            words, k = stated(by, value, self.reader)[1], table.num_rows
            table = table.append_column("segment", pa.array([value] * k, pa.string()))
            table = table.append_column("segment_label", pa.array([words] * k, pa.string()))
            table = table.append_column("n_accounts", pa.array([n] * k, pa.int64()))
            held = means(worth[rows][:, None])[0] * n
            parts.append(table.append_column("expected_value", pa.array([held] * k, pa.float64())))
        return pa.concat_tables(parts)

    def dependence(self) -> pa.Table:
        """Return how the factors of the heaviest features depend on their values.

        The six heaviest numbers, then the two heaviest categories, none below 1 %: feature, label,
        range (the bin in words), then the columns of `explanation.dependence.of_number`. What time of the
        year it is has no value that would mean anything, and is left out.
        """
        order = sorted(range(len(self.definitions)), key=lambda j: (-self.sizes[j], self.definitions[j].name))
        usable = [j for j in order if self.sizes[j] >= LEAST and not is_season(self.definitions[j])]
        numbers = [j for j in usable if self.definitions[j].kind == "number"][:NUMBERS]
        categories = [j for j in usable if self.definitions[j].kind == "category"][:CATEGORIES]
        none = self._depending(order[0]).slice(0, 0)
        return pa.concat_tables([none, *(self._depending(j) for j in [*numbers, *categories])])

    def swarm(self) -> pa.Table:
        """Return the swarm of the heaviest topics, see `explanation.dependence.swarm`, with their labels."""
        chosen = self.overall["topic"].to_pylist()[:SWARMED]
        place = {t: k for k, t in enumerate(self.found.names)}
        nothing = np.full(len(self.contributions), np.nan)
        values = [nothing if (v := self._lead(t)) is None else v for t in chosen]
        table = swarm(self.run.ids, self.found, [place[t] for t in chosen], values)
        labels = [self.labels[t] for t in table["topic"].to_pylist()]
        return table.append_column("label", pa.array(labels, pa.string()))

    def tiers(self) -> tuple[Group, ...]:
        """Return what each tier holds and what sets it apart."""
        scores = self.run.scores
        tier = np.array(scores["tier"].to_pylist())
        told = ("conversion_probability", "value_if_converted", "expected_value")
        probability, value, worth = (numeric(scores[name]) for name in told)
        return tuple(
            group(
                t, tier == t, self.found, probability=probability, value_if_converted=value,
                expected_value=worth,
            )
            for t in TIERS
        )  # fmt: skip

    def factors(self) -> pa.Table:
        """Return account_id, then one column per feature: its factor of each account's expected value."""
        columns = {"account_id": pa.array(self.run.ids, pa.string())}
        for j, d in enumerate(self.definitions):
            columns[d.name] = pa.array(np.exp(self.contributions[:, j]))
        return pa.table(columns)

    def called(self, definition: FeatureDefinition) -> str:
        """Return the name of a feature, with its window."""
        return stated(definition, None, self.reader)[0]

    def _lead(self, topic: str) -> Floats | None:
        d = self.definitions[self.leads[topic]]
        return self.run.column(d.name) if d.kind == "number" and not is_season(d) else None

    def _named(self, table: pa.Table) -> pa.Table:
        names = table["topic"].to_pylist()
        table = table.append_column("label", pa.array([self.labels[t] for t in names], pa.string()))
        kinds = [self.definitions[self.leads[t]].family for t in names]
        return table.append_column("family", pa.array(kinds, pa.string()))

    def _depending(self, j: int) -> pa.Table:
        d, effects = self.definitions[j], self.contributions[:, j]
        if d.kind == "category":
            table = of_category(self.run.features[d.name].to_pylist(), effects)
        else:
            table = of_number(self.run.column(d.name), effects)
        words = [
            span(d, r["low"], r["high"], self.reader) if r["kind"] == "number"
            else stated(d, r["category"], self.reader)[1]
            for r in table.to_pylist()
        ]  # fmt: skip
        n, name = table.num_rows, self.called(d)
        table = table.add_column(0, "range", pa.array(words, pa.string()))
        table = table.add_column(0, "label", pa.array([name] * n, pa.string()))
        return table.add_column(0, "feature", pa.array([d.name] * n, pa.string()))


def segmented_by(run: Run, by: str | None) -> FeatureDefinition | None:
    """Return the category feature that splits the accounts, by its name or the last part of it.

    Without a name it is the one whose segments scores are compared within, None if there is none.

    Raises
    ------
    UsageError
        If no category feature of the release is called so.
    """
    definitions = run.bundle.definitions
    if by is None:
        column = run.bundle.references.column
        return None if column is None else definitions[column]
    known = [d for d in definitions if d.kind == "category"]
    found = [d for d in known if d.name == by] or [d for d in known if d.name.rpartition(".")[2] == by]
    if len(found) != 1:
        names = {d.name for d in known}
        raise UsageError(
            f"'{by[:60]}' is no category feature of this model."
            f"{nearest(by, names | {n.rpartition('.')[2] for n in names})}",
            where="--by",
            why="Accounts are grouped by a category that the model has seen.",
            fix=f"Use one of: {', '.join(sorted(names)) or 'none, it reads numbers only'}.",
        )
    return found[0]
