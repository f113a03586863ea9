"""The leakage proof of leads: what they know of other leads, how they are held out, what looks too good."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from hva_ml.config import PipelineConfig
from hva_ml.contracts.decisions import Decisions
from hva_ml.contracts.probes import Probed
from hva_ml.contracts.records import Violation
from hva_ml.evaluation.suspicion import suspicious, together
from hva_ml.features import leads
from hva_ml.features.leads import Opened
from hva_ml.jobs.leads.decided import Decided, calendar_of, decided_leads, test_from
from hva_ml.jobs.prepare import Prepared
from hva_ml.jobs.progress import Progress
from hva_ml.training.courses import dealt

ONCE = "leads are looked at once, by their own row"


def probe_leads(
    config: PipelineConfig, prepared: Prepared, progress: Progress, moments: int
) -> tuple[Probed, ...]:
    """Run the probes that leads have use for; `moments` says at how many contacts the future is cut off."""
    world = leads.opened(prepared.tables, config)
    found, _ = decided_leads(world)
    progress.stage(f"Taking the future away at {moments} contacts")
    asked = (
        _truncation(world, moments, progress),
        _unasked("HVL002", "perturbation"),
        _unasked("HVL003", "population"),
        _unasked("HVL004", "source truncation"),
        _unasked("HVL005", "labels"),
        *_sides(found, config),
        *suspicious(found.features, found.targets.converted, calendar_of(found, config)),
    )
    return tuple(sorted(asked, key=lambda p: p.code))


def _unasked(code: str, name: str) -> Probed:
    return Probed(code, name, "Nothing was moved.", (), ONCE)


def _truncation(world: Opened, moments: int, progress: Progress) -> Probed:
    """Build the features of some leads again with nothing that came to be known at their contact or later."""
    told = world.told
    whole = leads.every(world)
    learned = [d.name for d in whole.definitions if d.measure in ("track_record", "recent_rate")]
    if not learned:
        why = "no feature looks at other leads"
        return Probed("HVL001", "truncation", "Nothing was cut off.", (), why)
    places = np.unique(told.position)
    picks = places[np.unique(np.linspace(0, len(places) - 1, moments).round().astype(np.int64))]
    differing: set[str] = set()
    gone = 0
    for k, moment in enumerate(picks.tolist()):
        kept = told.position <= moment
        past = Opened(world.table.filter(pa.array(kept)), _cut(told, moment).take(kept), world.config)
        here = leads.every(past)
        mine = np.flatnonzero(told.position[kept] == moment)
        same = np.flatnonzero(told.position == moment)
        gone += int((~kept).sum() + (told.decided & kept & ~told.known(moment)).sum())
        differing |= {
            name for name in learned
            if not here.table[name].take(pa.array(mine)).equals(whole.table[name].take(pa.array(same)))
        }  # fmt: skip
        progress.step(k + 1, len(picks))
    what = (
        f"Features of leads contacted at {len(picks)} moments, built again without what was known only then "
        f"or later ({gone:,} leads and outcomes taken away in all)."
    )
    found = tuple(
        Violation(
            "HVL001", name, len(picks), "error",
            "This feature changes when the data end at the contact: it looks ahead.",
            "Tell us: no pipeline file can cause this.", (name,),
        )
        for name in sorted(differing)
    )  # fmt: skip
    return Probed("HVL001", "truncation", what, found)


def _cut(told: Decisions, moment: int) -> Decisions:
    """Return what was known before a moment: later outcomes are those of leads that are still open."""
    known = told.known(moment)
    return replace(told, delay=np.where(known, told.delay, np.inf), decided=known)


def _sides(found: Decided, config: PipelineConfig) -> tuple[Probed, ...]:
    assert config.leads is not None
    won = found.targets.converted == 1
    names = found.features.table["group_id"].to_pylist()
    if config.leads.clock == "none":
        folds = dealt(found.told, names, config.leads.folds, 1, config.models.seed)[0]
        test = folds == 0
        train = ~test
        groups = np.asarray(names, dtype=object)
        touching = len(set(groups[test]) & set(groups[train]))
        what = f"{config.leads.folds} folds of {len(set(names)):,} groups of leads"
    else:
        moment = test_from(found.told, config)
        test = found.told.position >= moment
        train = found.told.known(moment)
        touching = int((test & train).sum())
        what = f"{int(train.sum()):,} leads whose outcome was known, {int(test.sum()):,} contacted later"
    alarms: tuple[Violation, ...] = ()
    if touching:
        alarms = (
            Violation(
                "HVL006", "[leads]", touching, "error", "Leads of one group stand on two sides.",
                "Tell us: no pipeline file can cause this.",
            ),
        )  # fmt: skip
    return (
        Probed("HVL006", "sides of the split", f"{what[0].upper()}{what[1:]}.", alarms),
        together(found.features, won, ~test, test, config.models.seed),
    )
