"""The contract tables of a night, of which only what is new is read: all else comes from the ledger.

A table is kept there if its query looks at each row by itself. What comes out is what `prepare` gives, in
another order of rows and without those set aside.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.config import PipelineConfig
from hva_ml.connectors import sources
from hva_ml.contracts.checks import judge
from hva_ml.contracts.draft import Draft
from hva_ml.contracts.reading import read, reading
from hva_ml.contracts.tables import contract_for
from hva_ml.engines.base import CatalogTable, Engine, ParquetFiles, Relation
from hva_ml.engines.spool import GIB
from hva_ml.jobs.engine import opened, store
from hva_ml.jobs.own_groups import own_groups
from hva_ml.jobs.prepare import Prepared, contract_tables, data_end, prepare, query_text
from hva_ml.ledger.book import Book
from hva_ml.ledger.identity import identity
from hva_ml.ledger.kept import Kept
from hva_ml.ledger.parts import parts
from hva_ml.ledger.reuse import LARGE, MASTER, Reuse
from hva_ml.workspace import Workspace

SHARE_LEDGER = 1 / 2
"""Part of the memory that the sources may take for the ledger, which holds what it gives."""


@dataclass(frozen=True)
class Plan:
    """How a contract table is made.

    Attributes
    ----------
    sources : tuple of str
        The sources that its query reads row by row.
    views : tuple of str
        The views between them, in their order.
    why_not : str
        Why it has to be read whole; empty if it need not.
    """

    sources: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    why_not: str = ""


def prepare_tonight(
    ws: Workspace, config: PipelineConfig, until: datetime, *, full: bool = False
) -> Prepared:
    """Read what is new in the sources, take all else from the ledger, and hold the whole to the contract.

    Parameters
    ----------
    ws, config
        Workspace and pipeline. The caller holds the pipeline's lock: the ledger has one writer at a time.
    until : datetime.datetime
        See `prepare`.
    full : bool
        Throw the ledger away first, and read everything.

    Returns
    -------
    Prepared
        Without quirks, rows set aside, and fingerprints; ``reuse`` tells what was read and why. Sources
        that would not fit into the memory are read piece by piece instead, as `prepare` does.
    """
    if config.leads is not None:
        prepared = prepare(ws, config, until=until)
        delivered = sum(t.num_rows for t in prepared.tables.tables.values())
        return replace(prepared, reuse=(Reuse("leads", 0, delivered, why=MASTER),))
    own = own_groups(ws, config)
    raw = sources.relations(ws, config, store(ws, config))
    if full:
        shutil.rmtree(ws.ledger(config.name), ignore_errors=True)
    if sum(map(_bytes, raw.values())) > config.engine.memory_gib * GIB * SHARE_LEDGER:
        tables, quirks = contract_tables(ws, config, raw, until)
        rows = {name: clean + aside for name, (clean, aside) in tables.counts().items()}
        return Prepared(raw, tables, quirks, own, tuple(Reuse(n, 0, k, why=LARGE) for n, k in rows.items()))
    night = _Night(ws, config, raw)
    drafts, reuse = night.drafts()
    end = data_end(config)
    tables = judge(drafts, config, max(end, until) if end else end)
    return Prepared(raw, tables, [], own, reuse)


class _Night:
    """The sources of one night."""

    def __init__(self, ws: Workspace, config: PipelineConfig, raw: Mapping[str, Relation]) -> None:
        self.raw = raw
        self._ws, self._config = ws, config
        self._ledger = ws.ledger(config.name)

    def drafts(self) -> tuple[dict[str, Draft], tuple[Reuse, ...]]:
        """Return the drafts of all contract tables, in alphabetical order, and how they came about."""
        drafts: dict[str, Draft] = {}
        reuse: dict[str, Reuse] = {}
        names: list[str] = sorted(self._config.tables)
        with opened(self._ws, self._config) as engine:
            why = {}
            for name in names:
                plan = self.plan(engine, name)
                try:
                    if (found := None if plan.why_not else self._kept(engine, name, plan)) is not None:
                        drafts[name], reuse[name] = found
                    else:
                        why[name] = plan.why_not or "what a column holds can only be told by all of it"
                except OSError as error:
                    # It is a copy: the night does not need it.
                    why[name] = f"the ledger cannot be written ({error.strerror})"
        self._forget_but(drafts)
        for name, table in self._whole(list(why)):
            drafts[name] = read(name, table, self._config)
            reuse[name] = Reuse(name, 0, table.num_rows, why=why[name])
        return dict(sorted(drafts.items())), tuple(reuse[name] for name in names)

    def plan(self, engine: Engine, name: str) -> Plan:
        """Say how a contract table is made from the sources."""
        if name == "accounts":
            return Plan(why_not=MASTER)
        for group in self._config.features.own:
            if name in group.tables:
                return Plan(why_not=f"the feature group '{group.name}' is shown all of it")
        waiting = [self._text(engine, self._sql(name))]
        found: set[str] = set()
        views: set[str] = set()
        while waiting:
            reads = engine.reads(waiting.pop())
            if reads.why_not:
                return Plan(why_not=f"{'a view it reads' if views else 'its query'}: {reads.why_not}")
            for relation in reads.relations - views:
                if relation in self._config.views:
                    views.add(relation)
                    waiting.append(self._text(engine, self._config.views[relation]))
                elif relation in self.raw:
                    if isinstance(self.raw[relation], CatalogTable):
                        return Plan(why_not=f"the source '{relation}' lies in Spark's catalog")
                    found.add(relation)
                else:
                    return Plan(why_not=f"its query reads '{relation}', which is no source")
        return Plan(tuple(sorted(found)), tuple(v for v in self._config.views if v in views))

    def _kept(self, engine: Engine, name: str, plan: Plan) -> tuple[Draft, Reuse] | None:
        """Return a draft from the book, once what is new is in it; None if the table has to be read whole."""
        config = self._config
        empty = {source: _empty(self.raw[source]) for source in plan.sources}
        nothing = self._ask(engine, name, plan, empty)
        asked = reading(read(name, nothing, config))
        if asked is None:
            return None
        contract = contract_for(name, dict(config.tables[name].columns))  # type: ignore[index]
        texts = {s: self._text(engine, s) for s in (self._sql(name), *(config.views[v] for v in plan.views))}
        book = Book(self._ledger / name, contract, identity(config, name, texts), asked.notes)
        before, now, new = set(book.parts), set[str](), 0
        for source in plan.sources:
            for part in parts(source, self.raw[source]):
                now.add(part.key)
                if part.key not in before:
                    table = self._ask(engine, name, plan, {**empty, source: part.relation})
                    got = reading(read(name, table, config))
                    if got is None:
                        return None
                    book.add(part.key, got)
                    new += got.delivered
        book.keep(now)
        draft = Kept(contract, book, tuple(nothing.column_names), whole_key=self._asks_for_keys(name))
        return draft, Reuse(name, draft.delivered - new, new, len(before - now), lost=book.lost)

    def _ask(self, engine: Engine, name: str, plan: Plan, relations: Mapping[str, Relation]) -> pa.Table:
        """Ask the query of a table for what it makes of these rows of its sources."""
        if plan.views:
            # What a view holds was computed when it was defined: each part has its own.
            with opened(self._ws, self._config) as own:
                return self._answer(own, name, plan.views, relations)
        return self._answer(engine, name, (), relations)

    def _answer(
        self, engine: Engine, name: str, views: tuple[str, ...], relations: Mapping[str, Relation]
    ) -> pa.Table:
        folder = self._ws.queries(self._config.name)
        for relation, rows in relations.items():
            engine.register(relation, rows)
        for view in views:
            engine.define(view, *query_text(folder, self._config.views[view], engine.dialect))
        return engine.query(*query_text(folder, self._sql(name), engine.dialect))

    def _whole(self, names: list[str]) -> Iterator[tuple[str, pa.Table]]:
        """Yield what the queries of some tables return, from the whole of the sources."""
        if not names:
            return
        with opened(self._ws, self._config) as engine:
            texts = [self._text(engine, self._sql(name)).lower() for name in names]
            needed: list[str] = []
            # A view can only be read by a query that names it, and only by one after it.
            for view, sql in reversed(self._config.views.items()):
                if any(view in text for text in texts):
                    needed.insert(0, view)
                    texts.append(self._text(engine, sql).lower())
            folder = self._ws.queries(self._config.name)
            for relation, rows in sorted(self.raw.items()):
                engine.register(relation, rows)
            for view in needed:
                engine.define(view, *query_text(folder, self._config.views[view], engine.dialect))
            for name in names:
                yield name, engine.query(*query_text(folder, self._sql(name), engine.dialect))

    def _forget_but(self, kept: Mapping[str, Draft]) -> None:
        """Remove the books of tables that are no longer kept."""
        if self._ledger.is_dir():
            for folder in self._ledger.iterdir():
                if folder.name not in kept:
                    shutil.rmtree(folder, ignore_errors=True)

    def _asks_for_keys(self, name: str) -> bool:
        """Return whether features read the first column of the key of a table."""
        key = contract_for(name).key[0]
        windows = (w for w in self._config.features.windows if w.table == name)
        return name == "deal_stages" or any(key in (w.by, *w.of, *w.where) for w in windows)

    def _sql(self, name: str) -> str:
        return self._config.tables[name].sql  # type: ignore[index]

    def _text(self, engine: Engine, sql: str) -> str:
        return query_text(self._ws.queries(self._config.name), sql, engine.dialect)[0]


def _bytes(relation: Relation) -> int:
    """Return how large a source is in memory, as far as that is known before it is read."""
    if isinstance(relation, CatalogTable):
        return 0
    if isinstance(relation, ParquetFiles):
        files = (pq.read_metadata(path) for path in relation.paths)
        return sum(f.row_group(k).total_byte_size for f in files for k in range(f.num_row_groups))
    return int(relation.nbytes)


def _empty(relation: Relation) -> pa.Table:
    if isinstance(relation, ParquetFiles):
        return pq.read_schema(relation.paths[0]).remove_metadata().empty_table()
    assert not isinstance(relation, CatalogTable), "no plan reads one"
    return relation.schema.empty_table()
