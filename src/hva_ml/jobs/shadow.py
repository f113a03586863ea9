"""A challenger scores a published night beside the champion; nothing is published, readers never see it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import scoring
from hva_ml.config import PipelineConfig
from hva_ml.errors import UsageError, nearest
from hva_ml.evaluation.ranking import Order, spearman
from hva_ml.explanation.reader import spoken_of
from hva_ml.explanation.reasons import reasons
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs import evidence, shadowed
from hva_ml.jobs.nights.days import day_of
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.published import Run, current_run, find_run, numeric, open_run, runs
from hva_ml.monitoring.paired import Matured
from hva_ml.monitoring.reference import Reference
from hva_ml.registry import tracking
from hva_ml.registry.bundle import Bundle
from hva_ml.reports import shadow as page
from hva_ml.workspace import Workspace

Floats = npt.NDArray[np.float64]
TIERS = ("A", "B", "C")


@dataclass(frozen=True)
class Shadow:
    """A challenger beside the champion on the accounts of one published night.

    Attributes
    ----------
    pipeline, run_id, as_of : str, str, datetime.date
        The published night.
    champion, challenger : str
        Versions of the two models.
    table : pyarrow.Table
        One row per account, by id: account_id, group_id (itself where it has no group), then
        for ``champion_`` and ``challenger_``
        conversion_probability, value_if_converted, expected_value (currency units), rank, percentile, tier.
    migration : pyarrow.Table
        tier_champion, tier_challenger, accounts, expected_value (by the challenger).
    rank_correlation : float or None
        Spearman's, of the expected values; None if one of them does not vary.
    top, overlap : int, float
        Accounts that can be worked, and the share of them that both models name.
    total_champion, total_challenger : float
        Expected value of all accounts.
    matured : Matured or None
        What became of all nights that this challenger has shadowed; None for leads.
    sentences : tuple of str
        The same in words.
    path, report : pathlib.Path
        The table as Parquet, and the page.
    """

    pipeline: str
    run_id: str
    as_of: date
    champion: str
    challenger: str
    table: pa.Table
    migration: pa.Table
    rank_correlation: float | None
    top: int
    overlap: float
    total_champion: float
    total_challenger: float
    matured: Matured | None
    sentences: tuple[str, ...]
    path: Path
    report: Path

    def record(self) -> dict[str, object]:
        """Return the comparison as a JSON-ready record, without the rows."""
        return {
            "pipeline": self.pipeline,
            "run_id": self.run_id,
            "as_of": self.as_of.isoformat(),
            "champion": self.champion,
            "challenger": self.challenger,
            "accounts": self.table.num_rows,
            "migration": self.migration.to_pylist(),
            "rank_correlation": self.rank_correlation,
            "top": self.top,
            "overlap": self.overlap,
            "total_champion": self.total_champion,
            "total_challenger": self.total_challenger,
            "matured": self.matured.record() if self.matured else None,
            "sentences": list(self.sentences),
            "path": str(self.path),
            "report": str(self.report),
        }


def shadow(
    ws: Workspace,
    pipeline: str,
    *,
    challenger: str | None = None,
    night: str | None = None,
    as_of: date | str | None = None,
    progress: Progress | None = None,
) -> Shadow:
    """Score a published night with a trained run that is not (yet) the champion.

    The challenger reads the features that were published with the night, so both models saw the same rows.
    Nights that it has shadowed before are held against what came, once their horizons are over.

    Parameters
    ----------
    ws : Workspace
        The workspace.
    pipeline : str
        Name of the pipeline.
    challenger : str, optional
        A run by name, version or id; by default the latest one.
    night : str, optional
        A published run by the beginning of its id or its day; by default the one that counts.
    as_of : datetime.date or str, optional
        Until when outcomes are known; by default the day of the latest published night.
    progress : Progress, optional
        Where stages are told.

    Raises
    ------
    UsageError
        If there is no such run, it is the champion of that night itself, or reads a feature that the night
        does not hold.
    RefusedError
        If nothing is published.
    """
    config = ws.config(pipeline)
    found = tracking.find(ws, config.name, challenger)
    if found is None:
        raise UsageError(
            f"There is no run{f' {challenger[:40]!r}' if challenger else ''} to stand beside the champion.",
            where=f"runs of {config.name}",
            fix=f"hva train {config.name}   (hva compare {config.name} lists the runs)",
        )
    bundle = Bundle.read(evidence.recall(ws, config.name, found.run_id).bundle)
    run_id = find_run(ws, config.name, night) if night else current_run(ws, config.name)
    run = open_run(ws, config.name, run_id)
    if bundle.release == run.bundle.release:
        raise UsageError(
            f"Version {found.version} is the model that scored this night.",
            where=f"run {run.run_id}",
            fix=f"hva train {config.name}, or name another run: --challenger RUN",
        )
    scored = scored_beside(config, run, bundle, found.version)
    own = ws.scores(config.name) / shadowed.SHADOW / f"{run.run_id}-{bundle.release[:12]}"
    table = _table(run, scored)
    version = str(run.scores["model_version"][0].as_py())
    shadowed.keep(
        own / shadowed.FILE, table,
        shadowed.Facts(run.as_of.isoformat(), run.bundle.release, version, bundle.release),
    )  # fmt: skip
    day = day_of(as_of) if as_of is not None else date.fromisoformat(runs(ws, config.name)[-1][1])
    known = None
    if config.leads is None:
        learned = Reference.from_record(bundle.profile) if bundle.profile else None
        known = shadowed.became(ws, config, bundle.release, learned, day, progress or LoggedProgress())
    return _told(config, run, bundle, scored, found.version, table, known, own)


def scored_beside(config: PipelineConfig, run: Run, bundle: Bundle, version: str) -> scoring.Scored:
    """Score the accounts of a published run with another model, by the features that were published.

    Raises
    ------
    UsageError
        If it reads a feature that the run does not hold.
    """
    held = run.features.column_names
    for d in bundle.definitions:
        if d.name not in held:
            raise UsageError(
                f"The challenger reads '{d.name}', which this night does not hold.{nearest(d.name, held)}",
                where=f"run {run.run_id}",
                why="A feature that is silently unknown for all accounts gives another score.",
                fix=f"hva score {config.name} --as-of {run.as_of} with the pipeline file of the challenger.",
            )
    index = ["account_id", "cutoff", "group_id", *(d.name for d in bundle.definitions)]
    features = FeatureSet(run.features.select(index), bundle.definitions)
    weights = pa.table(
        {
            "account_id": run.scores["account_id"],
            "event_time": pa.array([0] * len(run.ids)),
            "known_at": pa.array([0] * len(run.ids)),
            "strategic_weight": run.scores["strategic_weight"],
        }
    )
    return scoring.score(bundle, features, weights, config.scoring, model_version=version)


def _told(
    config: PipelineConfig, run: Run, bundle: Bundle, scored: scoring.Scored, version: str, table: pa.Table,
    known: Matured | None, folder: Path,
) -> Shadow:  # fmt: skip
    theirs = run.scores
    expected = numeric(theirs["expected_value"]), scored.expected
    tiers = np.asarray(theirs["tier"].to_pylist()), scored.place.tier
    rank = numeric(theirs["rank"]), scored.place.rank
    ones = np.ones((1, len(run.ids)))
    alike = float(spearman(Order.of(expected[0]), Order.of(expected[1]), ones)[0])
    top = min(config.scoring.capacity, len(run.ids))
    overlap = float(((rank[0] <= top) & (rank[1] <= top)).sum() / top)
    champion = str(theirs["model_version"][0].as_py())
    migration = _migration(tiers, expected[1])
    view = page.ShadowView(
        title=config.pipeline.title,
        pipeline=config.name,
        as_of=run.as_of,
        currency=bundle.currency,
        champion=champion,
        challenger=version,
        accounts=len(run.ids),
        rank_correlation=alike if np.isfinite(alike) else None,
        top=top,
        overlap=overlap,
        totals=(float(expected[0].sum()), float(expected[1].sum())),
        migration=migration,
        quantiles=_quantiles(*expected),
        up=_movers(config, run, bundle, expected, tiers, rank, 1),
        down=_movers(config, run, bundle, expected, tiers, rank, -1),
        matured=known,
        simulated=any(s.kind == "simulated" for s in config.sources.values()),
    )
    report = page.write(view, folder / "report.html")
    return Shadow(
        config.name, run.run_id, run.as_of, champion, version, table, migration, view.rank_correlation, top,
        overlap, *view.totals, known, page.sentences(known), folder / shadowed.FILE, report,
    )  # fmt: skip


def _table(run: Run, scored: scoring.Scored) -> pa.Table:
    theirs = run.scores
    mine = {
        "conversion_probability": pa.array(scored.probability),
        "value_if_converted": pa.array(scored.value),
        "expected_value": pa.array(scored.expected),
        "rank": pa.array(scored.place.rank),
        "percentile": pa.array(scored.place.percentile),
        "tier": pa.array(scored.place.tier.tolist(), pa.string()),
    }
    groups = pc.coalesce(run.features["group_id"], run.features["account_id"])
    columns = {"account_id": theirs["account_id"], "group_id": groups}
    columns |= {f"champion_{n}": theirs[n] for n in mine}
    return pa.table(columns | {f"challenger_{n}": c for n, c in mine.items()})


def _migration(tiers: tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]], expected: Floats) -> pa.Table:
    rows = []
    for old in TIERS:
        for new in TIERS:
            here = (tiers[0] == old) & (tiers[1] == new)
            rows.append(
                {"tier_champion": old, "tier_challenger": new, "accounts": int(here.sum()),
                 "expected_value": float(expected[here].sum())}
            )  # fmt: skip
    return pa.Table.from_pylist(rows)


def _quantiles(one: Floats, two: Floats) -> tuple[tuple[float, float, float], ...]:
    shares = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
    return tuple((s, float(np.quantile(one, s)), float(np.quantile(two, s))) for s in shares)


def _movers(
    config: PipelineConfig, run: Run, bundle: Bundle, expected: tuple[Floats, Floats],
    tiers: tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]],
    rank: tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]], way: int,
) -> tuple[page.Mover, ...]:  # fmt: skip
    """Return the accounts that gain (or lose) most by the challenger, with the main reasons of both."""
    change = way * (expected[1] - expected[0])
    rows = [int(r) for r in np.argsort(-change, kind="stable")[: page.SHOWN] if change[r] > 0]
    if not rows:
        return ()
    few = run.features.take(pa.array(rows))
    said = [_reasons(config, b, few) for b in (run.bundle, bundle)]
    return tuple(
        page.Mover(
            run.ids[r], run.names[r], (float(expected[0][r]), float(expected[1][r])),
            (str(tiers[0][r]), str(tiers[1][r])), (int(rank[0][r]), int(rank[1][r])), said[0][k], said[1][k],
        )
        for k, r in enumerate(rows)
    )  # fmt: skip


def _reasons(config: PipelineConfig, bundle: Bundle, few: pa.Table) -> list[tuple[str, ...]]:
    """Return the strongest reasons of each row by one model."""
    asked: str = config.explanation.reference
    kind = asked if asked in bundle.references.kinds else bundle.references.kind
    X = bundle.encoder.transform(FeatureSet(few, bundle.definitions))
    homes, total = bundle.references.which(X, kind).tolist(), bundle.explain(X, kind).total
    found = []
    for k, row in enumerate(few.to_pylist()):
        told = reasons(
            bundle.definitions, [row[d.name] for d in bundle.definitions],
            bundle.decoded(bundle.references.accounts[homes[k]].values), total[k],
            language="en", currency=bundle.currency, reference=spoken_of(kind), limit=2,
        )  # fmt: skip
        found.append(tuple(r.text for r in told))
    return found
