"""The information sheet for the person concerned, rebuilt from what was published, or refused."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from hva_ml.config import PipelineConfig
from hva_ml.errors import ConfigError
from hva_ml.explanation.grammar import capital
from hva_ml.explanation.phrases import is_season, stated
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.reasons import Reason, plain
from hva_ml.explanation.selection import Floats, grouped, topics
from hva_ml.features.definition import FeatureDefinition, of_leads
from hva_ml.jobs.told import Told
from hva_ml.registry.bundle import Bundle
from hva_ml.reports import information
from hva_ml.reports.language import Language

MOST_CHANGES = 5


def write_sheet(
    config: PipelineConfig,
    found: Told,
    why: tuple[Reason, ...],
    place: Path,
    *,
    language: Language,
    country: str,
) -> Path:
    """Write the sheet beside the account's page.

    Parameters
    ----------
    found : Told
        What the verified run says of the account.
    why : tuple of Reason
        In the same language.
    place : pathlib.Path
        Path of the account's page without ending.

    Raises
    ------
    ConfigError
        If nobody is named who answers questions.
    IntegrityError
        If the release is not the one of the run, or gives another score from the published features.
    """
    if not config.explanation.controller.strip():
        raise ConfigError(
            "The information sheet must say who answers questions, and nobody is named.",
            where=f"pipelines/{config.name}.toml, [explanation] controller",
            why="A person who is told how a score came about must know whom to ask (Art. 13 to 15 GDPR).",
            fix='[explanation]\ncontroller = "Name, address, and how to reach the data protection officer"',
        )
    view = _view(config, found, why, Reader(language, country, found.bundle.currency))
    return information.write(view, place, language=language, country=country)


def _view(
    config: PipelineConfig, found: Told, why: tuple[Reason, ...], reader: Reader
) -> information.InformationView:
    bundle, row, facts = found.bundle, found.row, found.bundle.metadata
    encoded = found.encoded()
    sides = facts.get("released_on", {})
    learned = [*sides.get("train", ()), *sides.get("calibrate", ())]
    used = [d for d in bundle.definitions if not is_season(d)]
    return information.InformationView(
        account_id=row["account_id"],
        name=found.name,
        as_of=row["as_of"],
        controller=config.explanation.controller,
        title=str(facts.get("title", config.pipeline.title)),
        sources=_sources(bundle),
        values=tuple(
            (d.table, *stated(d, plain(v), reader))
            for d, v in zip(bundle.definitions, found.values, strict=True)
            if d in used
        ),
        season=len(used) < len(bundle.definitions),
        longest_window_days=max((d.longest_days for d in bundle.definitions), default=0),
        learned_from=(min(learned), max(learned)) if learned else ("", ""),
        probability=row["conversion_probability"],
        value_if_converted=row["value_if_converted"],
        expected_value=row["expected_value"],
        currency=bundle.currency,
        rank=row["rank"],
        n_accounts=found.n_accounts,
        tier=row["tier"],
        tier_a=config.scoring.tier_a,
        tier_b=config.scoring.tier_b,
        lifted=row["tier_reason"] == "strategic_weight",
        horizon_days=bundle.horizon_days,
        gap_days=bundle.gap_days,
        base_expected_value=float(np.exp(found.log_base)),
        positive=tuple(r.text for r in why if r.direction == "up"),
        negative=tuple(r.text for r in why if r.direction == "down"),
        changes=_changes(bundle, encoded, found, reader),
        model_version=str(row["model_version"]),
        release=bundle.release,
        run_id=found.run.run_id,
        simulated=bool(facts.get("simulated")),
        leads=of_leads(bundle.definitions),
    )


def _changes(
    bundle: Bundle, encoded: Floats, found: Told, reader: Reader
) -> tuple[tuple[str, float, float], ...]:
    """Return for the strongest topics what the models say if they were as typical: label, p, expected value.

    The models themselves are asked, so that what several data do together is in it.
    """
    effects = topics(bundle.definitions, found.contributions[None, :])
    members = list(grouped(bundle.definitions).values())
    usable = [t for t, m in enumerate(members) if not is_season(bundle.definitions[m[0]])]
    strongest = sorted(usable, key=lambda t: (-abs(float(effects.effects[0, t])), t))[:MOST_CHANGES]
    strongest = [t for t in strongest if effects.effects[0, t] != 0.0]
    if not strongest:
        return ()
    X, home = np.repeat(encoded, len(strongest), axis=0), bundle.references.accounts[found.home.place].values
    for k, t in enumerate(strongest):
        X[k, list(members[t])] = home[list(members[t])]
    probability, value = bundle.outcomes(X)
    return tuple(
        (_label(bundle.definitions[int(effects.told[0, t])], reader), float(p), float(e))
        for t, p, e in zip(strongest, probability, probability * value, strict=True)
    )


def _label(definition: FeatureDefinition, reader: Reader) -> str:
    return capital(reader.label(definition))


def _sources(bundle: Bundle) -> tuple[tuple[str, str], ...]:
    """Return name and place of every source that the released pipeline file reads; no path is followed."""
    declared: dict[str, dict[str, Any]] = tomllib.loads(bundle.config_text).get("sources", {})
    return tuple(
        (name, str(s.get("path") or s.get("dataset") or s.get("kind", "")))
        for name, s in sorted(declared.items())
    )
