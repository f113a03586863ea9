"""The leakage proof of one pipeline: features, population, queries, labels, split, suspicion."""

from collections.abc import Sequence
from datetime import date

from hva_ml import labels, splits
from hva_ml.config import PipelineConfig
from hva_ml.connectors import sources
from hva_ml.contracts.probes import Probed
from hva_ml.cutoffs import Calendar
from hva_ml.errors import NotEnoughDataError
from hva_ml.evaluation import separation
from hva_ml.evaluation.suspicion import suspicious, together
from hva_ml.features import build, leakage
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.fitting import Targets
from hva_ml.jobs.prepare import Prepared, calendar, contract_tables
from hva_ml.jobs.progress import Progress
from hva_ml.workspace import Workspace

PROBED_CUTOFFS = 20


def probe(
    ws: Workspace,
    config: PipelineConfig,
    prepared: Prepared,
    progress: Progress,
    *,
    extra: Sequence[build.FeatureGroup] = (),
    cutoffs: int = PROBED_CUTOFFS,
) -> tuple[Probed, ...]:
    """Run every probe of the leakage proof.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    config : PipelineConfig
        The pipeline.
    prepared : Prepared
        Raw sources and clean tables.
    progress : Progress
        Where stages and steps are told.
    extra : sequence of FeatureGroup
        Further features to probe.
    cutoffs : int
        At most so many, spread evenly over the matured ones, first and last included.

    Returns
    -------
    tuple of Probed
        One for each code from ``HVL001`` on.
    """
    tables = prepared.tables
    whole = calendar(config, tables)
    few = whole.only(spread(whole.days, cutoffs))
    progress.stage(f"Features at {len(whole.days)} cutoffs")
    features = build.build(tables, config, whole, extra=extra)
    subject = leakage.Subject.of(tables, config, few, extra, features)
    progress.stage(f"Taking the future away at {len(few.days)} cutoffs")
    seen = leakage.travel(subject, config.models.seed, progress.step)
    progress.stage(f"Cutting the raw data at {len(few.days)} cutoffs")
    raw, timeless = _source_travel(ws, subject, prepared, progress)
    progress.stage("Labels, sides of the split, suspicion rules")
    targets = Targets.of(labels.build(tables, features.index, config, whole))
    asked = (
        leakage.truncation(subject, seen.cut),
        leakage.perturbation(subject, seen),
        leakage.population(subject, seen, raw),
        leakage.sources(subject, raw, timeless, seen.cut.differing),
        separation.label_windows(tables, features.index, config, few),
        *_split_probes(config, features, targets, whole),
        *suspicious(features, targets.converted, whole),
    )
    return tuple(sorted(asked, key=lambda p: p.code))


def spread(days: Sequence[date], count: int) -> tuple[date, ...]:
    """Return at most `count` days, spread evenly, the first and the last among them.

    Examples
    --------
    >>> spread(range(10), 4)
    (0, 3, 6, 9)
    """
    if len(days) <= count:
        return tuple(days)
    picks = sorted({round(k * (len(days) - 1) / max(count - 1, 1)) for k in range(count)})
    return tuple(days[k] for k in picks)


def _source_travel(
    ws: Workspace, subject: leakage.Subject, prepared: Prepared, progress: Progress
) -> tuple[leakage.Travel, list[str]]:
    config, few = subject.config, subject.calendar
    timed = sorted(n for n, s in config.sources.items() if s.time)
    travel = leakage.Travel()
    if timed:
        raw = sources.tables(prepared.raw)
        for k, (day, cutoff) in enumerate(zip(few.days, few.cutoffs, strict=True)):
            cut = sources.truncate(raw, config, cutoff)
            tables, _ = contract_tables(ws, config, cut)
            whole = all(t in tables.tables for t in config.tables)
            gone = {n: raw[n].num_rows - cut[n].num_rows if whole else 0 for n in timed}
            names = subject.differences(tables, day, vouched_again=True) if whole else ()
            travel.note(day, names, {n: leakage.Moved(rows) for n, rows in gone.items()})
            progress.step(k + 1, len(few.days))
    return travel, sorted(set(config.sources) - set(timed))


def _split_probes(
    config: PipelineConfig, features: FeatureSet, targets: Targets, whole: Calendar
) -> tuple[Probed, ...]:
    try:
        split = splits.split(features.index, whole, config.split, config.models.seed)
    except NotEnoughDataError as error:
        return tuple(
            Probed(code, name, "The rows cannot be split.", (), str(error.what))
            for code, name in (("HVL006", "sides of the split"), ("HVL014", "all features together"))
        )
    learned = split.train | split.calibrate
    return (
        separation.sides(features.index, whole, config, split),
        together(features, targets.converted == 1, learned, split.test, config.models.seed),
    )
