"""The pages and plots of a run: gathers the tables that reports draw."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.evaluation.diagrams import diagrams
from hva_ml.explanation.reader import Reader, spoken_of
from hva_ml.explanation.reasons import reasons, topic_labels
from hva_ml.features.definition import FeatureSet
from hva_ml.jobs.customers import lifetime_of_all
from hva_ml.jobs.fitting import Searched
from hva_ml.jobs.judgement import Judgement
from hva_ml.jobs.state import place
from hva_ml.publication import Published
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.gates import GateResult
from hva_ml.registry.nowcast_words import nowcast_sentence
from hva_ml.registry.releases import read_release
from hva_ml.registry.segment_words import segment_sentence
from hva_ml.registry.value_words import lifetime_sentences, value_sentences
from hva_ml.reports import charts
from hva_ml.reports import model as page
from hva_ml.reports import scores as scores_page
from hva_ml.reports.language import Tongue
from hva_ml.training.search import PARAMETERS
from hva_ml.workspace import Workspace

MOST_EXPLAINED = 2000
MOST_LISTED = 50


def model_view(
    j: Judgement, bundle: Bundle, told: dict[str, Any], gates: tuple[GateResult, ...]
) -> page.ModelView:
    """Return everything the page of a run shows."""
    test = j.split.test
    value = j.targets.value[test]
    return page.ModelView(
        pipeline=j.config.name,
        title=j.config.pipeline.title,
        run=f"{j.config.name}-{j.key}",
        currency=j.config.pipeline.currency,
        horizon_days=j.config.horizon_days,
        gap_days=j.config.horizon.gap_days,
        timezone=j.config.pipeline.timezone,
        leads=j.config.leads is not None,
        judged=j.config.leads.judged if j.config.leads else page.ModelView.judged,
        sides=tuple(
            page.Side(
                name, tuple(date.fromisoformat(d) for d in side["cutoffs"]), side["rows"], side["accounts"],
                side["converted"], side["value"],
            )
            for name, side in told["sides"].items()
        ),
        metrics=j.metrics,
        diagrams=diagrams(
            j.predictions, j.targets.converted[test], value, _days(j, test), j.config.scoring.capacity
        ),
        capacity=j.config.scoring.capacity,
        totals=j.totals,
        importance=importance(j, bundle),
        # The page goes to MLflow, where no account is named; hva check shows the ids.
        violations=tuple(replace(v, ids=()) for v in j.findings),
        quirks=tuple(j.prepared.quirks),
        gates=tuple(page.GateRow(g.name, g.passed, g.sentence()) for g in gates),
        calibrated=j.calibration,
        segmented=segment_sentence(j.calibration),
        nowcast=nowcast_sentence(j.calibration),
        valued=(
            *value_sentences(j.value, bundle.currency),
            *lifetime_sentences(j.lifetime, bundle.currency),
        ),
        facts=tuple((k, str(v)) for k, v in _facts(j, bundle).items()),
        trials=_trials(j.searched),
        parameters=tuple(
            (f"{name} ({found.kind})", share)
            for found in (j.searched.conversion, j.searched.value)
            for name, share in found.importance.items()
        ),
        simulated=any(s.kind == "simulated" for s in j.config.sources.values()),
    )  # fmt: skip


def _days(j: Judgement, rows: npt.NDArray[np.bool_]) -> list[date]:
    """Return the local day of each row's cutoff; of leads the first day of its month."""
    days = dict(zip(j.calendar.cutoffs, j.calendar.days, strict=True))
    if j.config.leads is not None and j.config.leads.clock == "days":
        days = {moment: day.replace(day=1) for moment, day in days.items()}
    return [days[c] for c in j.features.table["cutoff"].filter(pa.array(rows)).to_pylist()]


def _trials(searched: Searched) -> pa.Table:
    """Return what the searches of both models tried, settings in words."""
    rows = []
    for found in (searched.conversion, searched.value):
        tried = found.trials.to_pylist()
        complete = [row["value"] for row in tried if row["state"] == "complete"]
        # Trees that learn faster while searching have other losses than those found at their real rate.
        least = found.value if found.value in complete else min(complete, default=None)
        for row in tried:
            chosen = row["state"] == "complete" and row["value"] == least
            words = [f"{name} {row[name]:.4g}" for name in PARAMETERS if row[name] is not None]
            if row["distribution"]:
                words.insert(0, row["distribution"])
            kept = {k: row[k] for k in ("number", "state", "value", "grown", "seconds")}
            rows.append({"model": found.kind, **kept, "settings": ", ".join(words), "chosen": chosen})
    return pa.Table.from_pylist(rows)


def importance(j: Judgement, bundle: Bundle) -> pa.Table:
    """Return each topic's mean absolute log factor over at most 2,000 test rows, released model."""
    rows = np.flatnonzero(j.split.test)
    rows = rows[:: max(1, -(-len(rows) // MOST_EXPLAINED))]
    mask = np.zeros(len(j.split.test), dtype=bool)
    mask[rows] = True
    total = bundle.explain(j.features.take(mask)).total
    topics: dict[str, list[int]] = {}
    labels = topic_labels(bundle.definitions, np.abs(total).mean(axis=0), language="en")
    for k, label in enumerate(labels):
        topics.setdefault(label, []).append(k)
    return pa.Table.from_pylist(
        [
            {
                "label": label,
                "family": bundle.definitions[columns[0]].family,
                "mean_abs_log_factor": float(np.abs(total[:, columns].sum(axis=1)).mean()),
            }
            for label, columns in topics.items()
        ]
    )


def write_model_page(
    folder: Path, j: Judgement, bundle: Bundle, told: dict[str, Any], gates: tuple[GateResult, ...]
) -> None:
    """Write ``report.html`` and the plots of a run into `folder`."""
    view = model_view(j, bundle, told, gates)
    page.write(view, folder / "report.html")
    tongue = Tongue("en")
    for name, chart in page.plots(view, tongue).items():
        (folder / "plots" / f"{name}.png").write_bytes(charts.to_png(chart))


def write_scores_page(ws: Workspace, config: PipelineConfig, run: Published) -> tuple[pa.Table, Path]:
    """Write the page of a published run: the best accounts, each with its main reason.

    Everything is read back from the run, so that the page can be written again whenever its state changes.

    Returns
    -------
    tuple of (pyarrow.Table, pathlib.Path)
        The scores as published, and the page.
    """
    folder = ws.scores(config.name)
    table = publication.read(folder, "scores", run.run_id)
    version, day = table["model_version"][0].as_py(), table["as_of"][0].as_py()
    bundle = read_release(ws, config.name, version)
    ids = table["account_id"].slice(0, MOST_LISTED).to_pylist()
    features, names = (publication.read(folder, t, run.run_id, account=ids) for t in ("features", "accounts"))
    called = dict(zip(names["account_id"].to_pylist(), names["name"].to_pylist(), strict=True))
    main = _main_reasons(bundle, FeatureSet(features, bundle.definitions), config)
    shown = table.select(scores_page.COLUMNS)
    rest = [None] * (table.num_rows - len(ids))
    shown = shown.append_column("name", pa.array([called.get(i) or "" for i in ids] + rest, pa.string()))
    shown = shown.append_column("main_reason", pa.array([main.get(i, "") for i in ids] + rest, pa.string()))
    view = scores_page.ScoresView(
        pipeline=config.name,
        title=config.pipeline.title,
        as_of=day,
        currency=bundle.currency,
        run_id=run.run_id,
        model_version=version,
        horizon_days=bundle.horizon_days,
        table=shown,
        tier_a=config.scoring.tier_a,
        tier_b=config.scoring.tier_b,
        simulated=bool(bundle.metadata.get("simulated")),
        stale=run.stale is not None,
        missing=run.stale.missing if run.stale else None,
        lifetime=lifetime_of_all(ws, config.name, run.run_id, bundle, Reader("en", "DE", bundle.currency)),
    )
    return table, scores_page.write(view, place(ws, config.name, day), top=MOST_LISTED)


def _main_reasons(bundle: Bundle, few: FeatureSet, config: PipelineConfig) -> dict[str, str]:
    """Return the main reason of some accounts; the same row gives the same factors in any company."""
    kind, X = config.explanation.reference, bundle.encoder.transform(few)
    homes, total = bundle.references.which(X, kind).tolist(), bundle.explain(X, kind).total
    found: dict[str, str] = {}
    for k, account in enumerate(few.table.to_pylist()):
        told = reasons(
            bundle.definitions, [account[d.name] for d in bundle.definitions],
            bundle.decoded(bundle.references.accounts[homes[k]].values), total[k],
            language="en", currency=config.pipeline.currency, reference=spoken_of(kind), limit=1,
        )  # fmt: skip
        if told:
            found[account["account_id"]] = told[0].text
    return found


def _facts(j: Judgement, bundle: Bundle) -> dict[str, object]:
    return {
        "release": bundle.release,
        "features": f"{len(j.features.names)}, sha256 {j.features.fingerprint()[:16]}",
        "value distribution": bundle.value_distribution,
        "seed": j.config.models.seed,
        **{f"conversion {k}": v for k, v in sorted(j.searched.conversion.params.items())},
        "conversion rounds": j.searched.conversion.rounds,
        **{f"value {k}": v for k, v in sorted(j.searched.value.params.items())},
        "value rounds": j.searched.value.rounds,
        **{f"version of {k}": v for k, v in bundle.metadata["versions"].items()},
    }
