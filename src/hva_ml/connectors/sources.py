"""The raw sources of a pipeline, as Arrow tables or as files, whole or cut at an instant. It maps nothing."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from hva_ml.config import PipelineConfig, Source
from hva_ml.connectors import conversion, csv_files, databases, datasets, files, instants
from hva_ml.engines.base import CatalogTable, ParquetFiles, Relation
from hva_ml.engines.spark import catalog
from hva_ml.engines.spool import Spooled, Store
from hva_ml.errors import ConfigError, nearest
from hva_ml.starter import simulator
from hva_ml.workspace import Workspace


def relations(ws: Workspace, config: PipelineConfig, store: Store) -> dict[str, Relation]:
    """Return every declared source; those that are larger than memory stay on disk.

    Parameters
    ----------
    ws : Workspace
        Relative paths start at its root.
    config : PipelineConfig
        ``[sources.<name>]`` and, for simulated ones, ``[simulation]``.
    store : Store
        Where CSV files, tables of databases and sources with ``types`` wait. Other Parquet files and tables
        of Spark's catalog are not read: engines read of them what queries ask for.

    Returns
    -------
    dict of str to Relation
        By source name; columns converted as ``[sources.<name>.types]`` says, others as they are in the file
        (in CSV: text).

    Raises
    ------
    SourceError
        If a source is missing, unreadable, of an unclear form, or has cells that do not convert.
    ConfigError
        If a source lacks a key that its kind needs, or names an unknown column or table.
    """
    simulated = _simulated(config)
    queried = databases.read(_of_databases(config), store.keep, _at(config))
    found: dict[str, Relation] = {}
    for name, source, where in _declared(config):
        read: pa.Table | Spooled
        if source.kind == "csv":
            read = csv_files.read(_path(ws, source, where), source, where, store.keep)
        elif source.kind == "parquet":
            on_disk = files.parquet(_path(ws, source, where), where)
            if not source.types:
                found[name] = on_disk
                continue
            read = store.keep(files.pieces(on_disk, where))
        elif source.kind == "catalog":
            table = _catalog(source, where)
            if not source.types:
                found[name] = table
                continue
            read = store.keep(catalog.pieces(table, name))
        elif source.kind == "sql":
            read = queried[name]
        elif source.kind == "dataset":
            _needed(source.dataset, "dataset", where)
            read = datasets.read(ws, source.dataset, source.table)
        else:
            read = _one(simulated, source.table, where)
        rows = read if isinstance(read, Spooled) else Spooled.of(read)
        if source.kind != "csv":
            rows = conversion.convert(rows, source.types, source.decimal, where, _row, store.keep)
        found[name] = rows.source if isinstance(rows.source, pa.Table) else rows
    return found


def tables(raw: Mapping[str, Relation]) -> dict[str, pa.Table]:
    """Return sources as tables; those on disk are read.

    Raises
    ------
    SourceError
        If a file is damaged, or Spark cannot read a table of its catalog.
    """
    return {
        name: source if isinstance(source, pa.Table) else _whole(source, name) for name, source in raw.items()
    }


def truncate(raw: dict[str, pa.Table], config: PipelineConfig, cutoff: datetime) -> dict[str, pa.Table]:
    """Cut the raw sources: what they would have held, had they been read at the cutoff.

    Parameters
    ----------
    raw : dict of str to pyarrow.Table
        Sources by name, as `tables` gave them.
    config : PipelineConfig
        Names the ``time`` column of each source and the timezone in which naive values are read.
    cutoff : datetime.datetime
        Aware instant. Rows whose time lies before it are kept, in their order; a row at the cutoff or
        without a time is not. Dates count as local midnight, text is read as ISO or German date or time.

    Returns
    -------
    dict of str to pyarrow.Table
        Sources that declare no ``time`` are unchanged.

    Raises
    ------
    SourceError
        If a time column is missing, is no time, or holds text that is none.
    """
    cut = dict(raw)
    for name, source in sorted(config.sources.items()):
        if source.time and name in raw:
            where = f"pipelines/{config.name}.toml: [sources.{name}] time"
            cut[name] = instants.before(raw[name], source.time, cutoff, config.pipeline.timezone, where)
    return cut


def _declared(config: PipelineConfig) -> Iterator[tuple[str, Source, str]]:
    for name, source in sorted(config.sources.items()):
        yield name, source, _at(config)(name)


def _at(config: PipelineConfig) -> Callable[[str], str]:
    return lambda name: f"pipelines/{config.name}.toml: [sources.{name}]"


def _of_databases(config: PipelineConfig) -> dict[str, Source]:
    found = {name: source for name, source in config.sources.items() if source.kind == "sql"}
    for name, source in found.items():
        _needed(source.table, "table", _at(config)(name))
        _needed(source.url_env, "url_env", _at(config)(name))
    return found


def _catalog(source: Source, where: str) -> CatalogTable:
    _needed(source.table, "table", where)
    return CatalogTable(source.table)


def _whole(source: ParquetFiles | Spooled | CatalogTable, name: str) -> pa.Table:
    if isinstance(source, Spooled):
        return source.table()
    if isinstance(source, CatalogTable):
        return catalog.whole(source, name)
    return _parquet(source, f"[sources.{name}]")


def _parquet(source: ParquetFiles, where: str) -> pa.Table:
    return pa.concat_tables([files.read_parquet(path, where) for path in source.paths])


def _simulated(config: PipelineConfig) -> dict[str, pa.Table]:
    if not any(s.kind == "simulated" for s in config.sources.values()):
        return {}
    wanted = config.simulation
    return simulator.simulate(
        accounts=wanted.accounts,
        seed=wanted.seed,
        first=wanted.first,
        last=wanted.last,
        events_per_account=wanted.events_per_account,
    ).tables


def _path(ws: Workspace, source: Source, where: str) -> Path:
    _needed(source.path, "path", where)
    return ws.inside(source.path)


def _needed(value: str, key: str, where: str) -> None:
    if not value:
        examples = {"path": "data/raw/orders.csv", "table": "orders", "url_env": "CRM_URL"}
        example = examples.get(key) or datasets.list_datasets()[0].name
        raise ConfigError(
            f"The key '{key}' is missing.", where=where, fix=f'Add a line like {key} = "{example}".'
        )


def _one(tables: dict[str, pa.Table], name: str, where: str) -> pa.Table:
    if name not in tables:
        raise ConfigError(
            f"The simulator has no table '{name}'.{nearest(name, tables)}",
            where=where,
            fix=f"Use one of: {', '.join(sorted(tables))}.",
        )
    return tables[name]


def _row(rows: list[int]) -> str:
    return "rows " + ", ".join(str(r + 1) for r in rows)
