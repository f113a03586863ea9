"""TOML -> the sections. Unknown keys are refused, and the nearest known one is named."""

import dataclasses
import re
import tomllib
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from hva_ml.config.leads import NO_CURRENCY, spelled_out
from hva_ml.config.pipeline import PipelineConfig
from hva_ml.errors import ConfigError, nearest

_ADAPTER = TypeAdapter(PipelineConfig)


def parse(text: str, where: str) -> PipelineConfig:
    """Read a pipeline file's text.

    Parameters
    ----------
    text : str
        TOML.
    where : str
        Path shown in errors.

    Raises
    ------
    ConfigError
        For broken TOML, an unknown key, a missing key or a value out of its domain; the first problem is
        told in full, further ones are counted.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"The file is not valid TOML: {error}.",
            where=where,
            fix="Mend the line named above; strings need quotes, keys an equals sign.",
        ) from error
    try:
        raw = spelled_out(raw)
    except ValueError as error:
        raise ConfigError(
            f"[{error}] follows from [leads] here.",
            where=f"{where}: [{error}]",
            why="Of two statements about the same thing one would be ignored.",
            fix="Leave it out; docs/leads.md tells what [leads] takes.",
        ) from error
    try:
        config = _ADAPTER.validate_python(raw)
    except ValidationError as error:
        raise _config_error(error, where) from error
    _check_together(config, where)
    return config


def load(path: Path) -> PipelineConfig:
    """Read a pipeline file; the name inside must be the file's own."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "The pipeline file cannot be read as UTF-8 text.",
            where=str(path),
            fix="Save the file as UTF-8 and check its permissions.",
        ) from error
    config = parse(text, str(path))
    if config.name != path.stem:
        raise ConfigError(
            f"The file is called '{path.name}', but the pipeline in it '{config.name}'.",
            where=f"{path}: [pipeline] name",
            why="Runs, models and scores are filed under the pipeline's name.",
            fix=f'Write name = "{path.stem}".',
        )
    return config


def _config_error(error: ValidationError, where: str) -> ConfigError:
    problems = error.errors(include_url=False)
    unknown = [p for p in problems if p["type"] == "unexpected_keyword_argument"]
    # Of a table that may also be a word, what is wrong inside it says more than that it is no word.
    inner = [p for p in problems if not isinstance(p["input"], dict)]
    first = (unknown or inner or problems)[0]
    loc = [str(p) for p in first["loc"] if not re.match(r"dict\[|literal\[", str(p))]
    more = f" ({len(problems) - 1} more after this one.)" if len(problems) > 1 else ""
    if first["type"] == "unexpected_keyword_argument":
        known = _known_keys(loc[:-1])
        return ConfigError(
            f"Unknown key '{loc[-1]}'.{nearest(loc[-1], known)}{more}",
            where=f"{where}: {_section(loc[:-1])}",
            why="A key that nobody reads would be a wish silently ignored.",
            fix=f"Remove it or use one of: {', '.join(sorted(known))}.",
        )
    if first["type"] == "missing":
        wanted = f"a line '{loc[-1]} = …'" if len(loc) > 1 else f"a section [{loc[-1]}]"
        return ConfigError(
            f"The key '{loc[-1]}' is missing.{more}",
            where=f"{where}: {_section(loc[:-1])}",
            fix=f"Add {wanted}; docs/pipelines.md explains every key.",
        )
    # A URL with a password that was written where its variable belongs must not be told on.
    hidden = isinstance(first["input"], dict | list) or loc[0] in ("sinks", "alerts")
    hidden |= "://" in str(first["input"])
    given = "" if hidden else f" (given: {first['input']!r})"
    hint = ""
    if first["type"] == "literal_error" and isinstance(first["input"], str):
        hint = nearest(
            first["input"], re.findall(r"'([^']+)'", str(first.get("ctx", {}).get("expected", "")))
        )
    return ConfigError(
        f"{first['msg']}{given}.{hint}{more}", where=f"{where}: {'.'.join(loc)}", fix="Correct the value."
    )


def _section(loc: list[str]) -> str:
    return f"[{'.'.join(loc)}]" if loc else "top level"


def _known_keys(loc: list[str]) -> list[str]:
    kind: Any = PipelineConfig
    for part in loc:
        if dataclasses.is_dataclass(kind):
            kind = get_type_hints(kind).get(part)
            if NoneType in get_args(kind):
                kind = next(a for a in get_args(kind) if a is not NoneType)
        else:
            kind = next((a for a in reversed(get_args(kind)) if a is not Ellipsis), None)
    return [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []


def _check_leads(config: PipelineConfig, where: str) -> None:
    leads = config.leads
    if leads is None:
        if "leads" in config.tables:
            raise ConfigError(
                "Leads are declared under [leads], not as a table of accounts.",
                where=f"{where}: [tables.leads]",
                fix="docs/leads.md shows a whole file.",
            )
        return
    problem = leads.problem()
    if problem is None and leads.source and leads.source not in config.sources:
        problem = (
            f"There is no source '{leads.source}'.{nearest(leads.source, config.sources)}",
            (f"Use one of: {', '.join(config.sources)}."),
        )
    if problem is None and leads.worth == (config.pipeline.currency == NO_CURRENCY):
        problem = (
            ("Money has no currency.", 'Write currency = "EUR" in [pipeline].') if leads.worth else
            ("A currency is named, but no money.", "Write value or deal_value, or leave out currency.")
        )  # fmt: skip
    if problem is not None:
        raise ConfigError(problem[0], where=f"{where}: [leads]", fix=problem[1])


def _check_lifetime(config: PipelineConfig, where: str) -> None:
    days = config.lifetime.days
    if days and config.leads is not None:
        raise ConfigError(
            "A lead is looked at once; only customers have a lifetime value.",
            where=f"{where}: [lifetime] days",
            fix="Leave [lifetime] out.",
        )
    if days and (days[0] < config.horizon.days or days[-1] == config.horizon.days):
        raise ConfigError(
            f"Lifetime horizons go on from the horizon of {config.horizon.days} days.",
            where=f"{where}: [lifetime] days",
            fix=f"For example days = [{config.horizon.days}, {2 * config.horizon.days}], or a shorter "
            "[horizon] days.",
        )


def _check_together(config: PipelineConfig, where: str) -> None:
    _check_leads(config, where)
    for table in sorted(config.tables_read - set(config.tables)):
        raise ConfigError(
            f"The table '{table}' is used but not declared.",
            where=f"{where}: [tables.{table}]",
            fix=f'Add [tables.{table}] with sql = "{table}.sql", or leave out what uses it.',
        )
    problem = config.features.problem()
    if problem is not None:
        raise ConfigError(problem[0], where=f"{where}: [features] {problem[1]}", fix=problem[2])
    wrong = config.models.problem()
    if wrong is not None:
        key, what, why, fix = wrong
        raise ConfigError(what, where=f"{where}: [models] {key}", why=why, fix=fix)
    _check_lifetime(config, where)
    if config.scoring.tier_b <= config.scoring.tier_a:
        raise ConfigError(
            "tier_b must be larger than tier_a: both are cumulative shares of expected value.",
            where=f"{where}: [scoring]",
            fix="For example tier_a = 0.5 and tier_b = 0.8.",
        )
    if config.target.table == "events" and not config.target.event_types:
        raise ConfigError(
            'With table = "events" a conversion needs event_types.',
            where=f"{where}: [target]",
            fix='For example event_types = ["order"].',
        )
