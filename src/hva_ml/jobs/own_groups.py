"""The feature groups that a team has written itself: files in ``pipelines/features/``, loaded where declared.

Python files there are the team's own code and run with its rights; nothing else is ever loaded.
"""

import importlib.util
import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from hva_ml.config import OwnFeatures, PipelineConfig
from hva_ml.engines.duckdb import DuckDBEngine
from hva_ml.errors import ConfigError, HvaError, SourceError
from hva_ml.features.own import Compute, OwnGroup
from hva_ml.workspace import Workspace

FOLDER = "features"
FUNCTION = "features"


def own_groups(ws: Workspace, config: PipelineConfig) -> tuple[OwnGroup, ...]:
    """Return the declared groups in their order.

    Raises
    ------
    ConfigError
        If a group has no file, or two, or the file defines no function ``features``.
    SourceError
        If a file cannot be read or run.
    """
    return tuple(_group(ws, config, declared) for declared in config.features.own)


def _group(ws: Workspace, config: PipelineConfig, declared: OwnFeatures) -> OwnGroup:
    folder = ws.pipelines / FOLDER
    # The name has been held to letters, digits and _: it cannot leave the folder.
    files = [p for p in (folder / f"{declared.name}.py", folder / f"{declared.name}.sql") if p.is_file()]
    if len(files) != 1:
        raise ConfigError(
            f"The feature group '{declared.name}' has {len(files)} files.",
            where=f"pipelines/{config.name}.toml, [[features.own]]",
            fix=f"Keep one of pipelines/{FOLDER}/{declared.name}.py and .sql there.",
        )
    where = f"pipelines/{FOLDER}/{files[0].name}"
    compute = _query(files[0], where) if files[0].suffix == ".sql" else _function(files[0], where)
    return OwnGroup(declared, compute, where)


def _query(file: Path, where: str) -> Compute:
    sql = file.read_text(encoding="utf-8")

    def compute(tables: Mapping[str, pa.Table], accounts: pa.Array, cutoff: datetime) -> pa.Table:
        engine = DuckDBEngine()
        try:
            for name, table in tables.items():
                engine.register(name, table)
            moment = pa.array([cutoff] * len(accounts), pa.timestamp("us", "UTC"))
            engine.register("population", pa.table({"account_id": accounts, "cutoff": moment}))
            return engine.query(sql, where)
        finally:
            engine.close()

    return compute


def _function(file: Path, where: str) -> Compute:
    spec = importlib.util.spec_from_file_location(f"hva_own_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SourceError(
            f"The feature group cannot be loaded: {type(error).__name__}: {str(error)[:200]}.",
            where=where, fix=f"python {file}",
        ) from error  # fmt: skip
    found = getattr(module, FUNCTION, None)
    if not callable(found):
        raise ConfigError(
            f"The feature group defines no function '{FUNCTION}'.",
            where=where,
            fix=f"def {FUNCTION}(tables, accounts, cutoff): ...   # returns a pyarrow.Table",
        )

    def compute(tables: Mapping[str, pa.Table], accounts: pa.Array, cutoff: datetime) -> Any:
        try:
            return found(dict(tables), accounts, cutoff)
        except HvaError:
            raise
        except Exception as error:
            raise SourceError(
                # What it says may quote a row.
                f"The feature group failed at {cutoff:%Y-%m-%d}: {type(error).__name__}.",
                where=_line(where, file, error),
                why="A feature that is missing on one night is another feature than the model has learned.",
                fix="Mend the function; it must hold for accounts without rows, too.",
            ) from error

    return compute


def _line(where: str, file: Path, error: Exception) -> str:
    """Return the file with the line of it in which an error was raised, or that called what raised it."""
    lines = [
        lineno
        for frame, lineno in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == str(file)
    ]
    return f"{where}, line {lines[-1]}" if lines else where
