"""Keeps what a challenger said of a night beside what was published, and looks up later what became of it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hva_ml.config import PipelineConfig
from hva_ml.errors import IntegrityError
from hva_ml.evaluation.metrics import ModelPrediction
from hva_ml.jobs.kept_nights import Nights
from hva_ml.jobs.kept_outcomes import Outcomes
from hva_ml.jobs.progress import Progress
from hva_ml.jobs.published import numeric
from hva_ml.monitoring.paired import Matured, Paired, matured
from hva_ml.monitoring.reference import Reference
from hva_ml.workspace import Workspace

SHADOW, FILE = "shadow", "scores.parquet"
_FACTS = b"hva-shadow-1"
_SAID = ("conversion_probability", "value_if_converted", "expected_value")


@dataclass(frozen=True)
class Facts:
    """What a kept table is of.

    Attributes
    ----------
    as_of : str
        ISO day of the night.
    release, version : str
        What scored the night.
    challenger : str
        Release of the challenger.
    """

    as_of: str
    release: str
    version: str
    challenger: str


def keep(path: Path, table: pa.Table, facts: Facts) -> None:
    """Write the table of a shadowed night, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(".scores.part")
    sealed = table.replace_schema_metadata({_FACTS: json.dumps(asdict(facts), sort_keys=True)})
    pq.write_table(sealed, part, write_page_checksum=True)
    part.replace(path)


def became(
    ws: Workspace, config: PipelineConfig, challenger: str, own: Reference | None, day: date,
    progress: Progress,
) -> Matured:  # fmt: skip
    """Hold every shadowed night of a challenger against what came, as known on a day.

    Nothing is looked up before the horizon of a night is over, and late rows have come. A night from before
    one of the two models had stopped learning is left out: it would praise whoever has seen the outcomes.

    Parameters
    ----------
    challenger : str
        Its release.
    own : Reference or None
        What it has learned from; None for one of before there were profiles: then nothing is compared.
    day : datetime.date
        Until when outcomes are known.

    Raises
    ------
    IntegrityError
        If a kept table cannot be read.
    """
    nights = Nights(ws, config, day, progress)
    outcomes = Outcomes(nights)
    wait = timedelta(days=outcomes.wait_days(own))
    found, waiting, learned = [], [], []
    for path, facts in _kept(ws.scores(config.name) / SHADOW, challenger):
        when = date.fromisoformat(facts.as_of)
        if when > day:
            continue
        theirs = nights.reference(facts.release, facts.version)
        if own is None or theirs is None or when < max(own.learned, theirs.learned):
            learned.append(when)
        elif when + wait > day or when + wait > outcomes.known:
            waiting.append(when)
        else:
            found.append(_paired(_read(path), when, outcomes, own))
    return matured(
        found, waiting=waiting, following=min(waiting) + wait if waiting else None, learned=learned,
        resamples=config.split.bootstrap, seed=config.models.seed, capacity=config.scoring.capacity,
    )  # fmt: skip


def _kept(folder: Path, release: str) -> Iterator[tuple[Path, Facts]]:
    """Return the kept nights of a challenger, of several runs of one day the one kept last."""
    latest: dict[str, tuple[int, Path, Facts]] = {}
    for path in sorted(folder.glob(f"*-{release[:12]}/{FILE}")):
        try:
            told = pq.read_schema(path).metadata or {}
        except (OSError, pa.ArrowInvalid) as error:
            raise _damaged(path) from error
        # Tables of before outcomes were looked up do not say what they are of.
        facts = Facts(**json.loads(told[_FACTS])) if _FACTS in told else None
        if facts is not None and facts.challenger == release:
            written = path.stat().st_mtime_ns
            if facts.as_of not in latest or latest[facts.as_of][0] < written:
                latest[facts.as_of] = (written, path, facts)
    for _, path, facts in latest.values():
        yield path, facts


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> IntegrityError:
    return IntegrityError(
        "A shadowed night is damaged.", where=str(path),
        fix="Remove its folder, then run hva shadow with --night for that day again.",
    )  # fmt: skip


def _paired(table: pa.Table, day: date, outcomes: Outcomes, reference: Reference) -> Paired:
    def said(model: str) -> ModelPrediction:
        probability, value, expected = (numeric(table[f"{model}_{c}"]) for c in _SAID)
        return ModelPrediction(probability, value, expected)

    return Paired(
        day, said("champion"), said("challenger"), np.asarray(table["group_id"].to_pylist()),
        outcomes.came(table, day, reference),
    )  # fmt: skip
