"""From the pipeline's sources to tables that keep the contract. Nothing is computed from them here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import Leads, PipelineConfig
from hva_ml.connectors import sources
from hva_ml.contracts.checks import enforce
from hva_ml.contracts.leads import shaped
from hva_ml.contracts.records import ContractTables, Violation
from hva_ml.cutoffs import Calendar, instant, series
from hva_ml.engines.base import Engine, Relation
from hva_ml.engines.spool import Spooled, Store
from hva_ml.errors import ContractError, SourceError, UsageError
from hva_ml.features.own import OwnGroup
from hva_ml.jobs.engine import opened, store
from hva_ml.jobs.own_groups import own_groups
from hva_ml.ledger.reuse import Reuse
from hva_ml.workspace import Workspace


@dataclass(frozen=True)
class Prepared:
    """Sources read, mapped and checked.

    Attributes
    ----------
    raw : mapping of str to pyarrow.Table or ParquetFiles
        The sources as read; Parquet files are read when they are asked for.
    tables : ContractTables
        Clean tables with all findings.
    quirks : list of dict
        What the source queries set right, counted: rows of ``quirk``, ``rows``, ``what``.
    own : tuple of OwnGroup
        The feature groups that the team has written itself.
    reuse : tuple of Reuse
        How each table came about, where the ledger was asked.
    """

    raw: Mapping[str, Relation]
    tables: ContractTables
    quirks: list[dict[str, object]]
    own: tuple[OwnGroup, ...] = ()
    reuse: tuple[Reuse, ...] = ()


def prepare(ws: Workspace, config: PipelineConfig, *, until: datetime | None = None) -> Prepared:
    """Read the sources of a pipeline, run its queries, hold the results to the contract.

    With `until`, rows before it are no rows of the future, even if ``data_end`` was written down earlier:
    a night's scores must see what came since the training.
    """
    own = own_groups(ws, config)
    raw = sources.relations(ws, config, store(ws, config))
    tables, quirks = contract_tables(ws, config, raw, until)
    return Prepared(raw, tables, quirks, own)


def contract_tables(
    ws: Workspace, config: PipelineConfig, raw: Mapping[str, Relation], until: datetime | None = None
) -> tuple[ContractTables, list[dict[str, object]]]:
    """Map raw sources to contract tables by the pipeline's queries, and check them."""
    folder = ws.queries(config.name)
    kept = store(ws, config)
    end = data_end(config)
    with opened(ws, config) as engine:
        for name in sorted(raw):
            engine.register(name, raw[name])
        for name, sql in config.views.items():
            engine.define(name, *query_text(folder, sql, engine.dialect))
        mapped: Mapping[str, pa.Table | Spooled] = _Mapped(config, folder, engine, kept)
        if config.leads is not None:
            mapped = {"leads": _leads(mapped, raw, config.leads)}
        tables = enforce(mapped, config, max(end, until) if end and until else end, kept)
        quirks: list[dict[str, object]] = []
        if any(folder.glob("quirks*.sql")):
            quirks = engine.query(*query_text(folder, "quirks.sql", engine.dialect)).to_pylist()
    return tables, quirks


@dataclass(frozen=True)
class _Mapped(Mapping[str, Spooled]):
    """What the query of each contract table returns, run when it is asked for."""

    config: PipelineConfig
    folder: Path
    engine: Engine
    store: Store

    def __getitem__(self, name: str) -> Spooled:
        table = self.config.tables[name]  # type: ignore[index]
        return self.store.keep(self.engine.rows(*query_text(self.folder, table.sql, self.engine.dialect)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.config.tables)

    def __len__(self) -> int:
        return len(self.config.tables)


def refuse_leads(config: PipelineConfig, command: str) -> None:
    """Refuse a table of leads where accounts are needed, which can be looked at again at every cutoff.

    Raises
    ------
    UsageError
        If the pipeline has ``[leads]``.
    """
    if config.leads is not None:
        raise UsageError(
            f"{config.name} is a table of leads: {command} needs accounts.",
            where=f"pipelines/{config.name}.toml: [leads]",
            why="Each lead is looked at once, at its first contact; there are no cutoffs to go back to.",
            fix=f"hva train {config.name}",
        )


def _leads(mapped: Mapping[str, pa.Table | Spooled], raw: Mapping[str, Relation], leads: Leads) -> pa.Table:
    """Return the table of leads under the contract's names, open ones of another source after the others."""
    wanted = {n: raw[n] for n in (leads.source, leads.open_source) if n in raw}
    read = sources.tables(wanted)
    whole = mapped["leads"] if leads.sql else read[leads.source]
    return shaped(whole.table() if isinstance(whole, Spooled) else whole, read.get(leads.open_source), leads)


def data_end(config: PipelineConfig) -> datetime | None:
    """Return the declared end of the data as an instant, or None."""
    day = config.cutoffs.data_end
    return instant(day, config.pipeline.timezone) if day else None


def calendar(config: PipelineConfig, tables: ContractTables) -> Calendar:
    """Return the pipeline's matured cutoffs: those whose horizon is over when the data end.

    Without a declared ``data_end`` the data end with the last row of the target table.
    """
    return _declared(config).matured(last_instant(config, tables))


def begun(config: PipelineConfig, tables: ContractTables) -> Calendar:
    """Return the pipeline's cutoffs whose horizon still runs when the data end; there may be none."""
    declared, end = _declared(config), last_instant(config, tables)
    days = zip(declared.days, declared.cutoffs, strict=True)
    return declared.only(tuple(d for d, c in days if c < end < declared.label_window(d)[1]))


def _declared(config: PipelineConfig) -> Calendar:
    return Calendar(
        series(config.cutoffs.first, config.cutoffs.last, config.cutoffs.every),
        config.horizon.days,
        config.horizon.gap_days,
        config.pipeline.timezone,
    )


def last_instant(config: PipelineConfig, tables: ContractTables) -> datetime:
    """Return where the data end: as declared, else the last row of the target table."""
    declared = data_end(config)
    if declared:
        return declared
    newest = (pc.max(t["event_time"]) for t in tables.pieces(config.target.table, ["event_time"]))
    end: datetime = max(moment.as_py() for moment in newest if moment.is_valid)
    return end


def refuse_errors(config: PipelineConfig, violations: tuple[Violation, ...]) -> None:
    """Raise ``ContractError`` if a finding of severity error stands in the way of an honest result."""
    errors = [v for v in violations if v.severity == "error"]
    if errors:
        first = errors[0]
        raise ContractError(
            f"{first.code}: {first.what}" + (f" ({len(errors) - 1} more errors)" if len(errors) > 1 else ""),
            where=f"{first.where}, {first.count} rows",
            why="A model learned from such data would be wrong without anybody noticing.",
            fix=f"{first.fix} All findings: hva check {config.name}",
            ids=first.ids,
        )


def query_text(folder: Path, name: str, dialect: str) -> tuple[str, str]:
    """Return a query and its file: the one in the engine's own dialect, if there is one.

    Raises
    ------
    SourceError
        If `name` is no file name, or the file cannot be read.
    """
    if Path(name).name != name:
        raise SourceError(
            "A query is a file name, not a path.", where=name, fix=f"Put the file into {folder} and name it."
        )
    own = folder / f"{Path(name).stem}.{dialect}.sql"
    try:
        file = own if own.is_file() else folder / name
        return file.read_text(encoding="utf-8"), f"pipelines/{folder.name}/{file.name}"
    except (OSError, ValueError) as error:
        # No text, or a name that no file can have.
        raise SourceError(
            "The source query cannot be read.",
            where=str(folder / name),
            fix=f"Write the query there as UTF-8, or to {own.name} if only {dialect} understands it.",
        ) from error
