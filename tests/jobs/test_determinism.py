"""Same data, seed and versions: the same bits, whatever the order of rows and the number of threads."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pytest

import hva_ml as hva
from hva_ml.connectors import sources

PIPELINE = "dach_sample"


def test_everything_twice_on_shuffled_rows_gives_the_same_bits(
    main_job: Any,
    tmp_path: Path,
    small_workspace: Callable[[Path], hva.Workspace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    straight = sources.relations

    def shuffled(*args: Any, **kwargs: Any) -> dict[str, pa.Table]:
        rng = np.random.default_rng(11)
        return {
            n: t.take(pa.array(rng.permutation(t.num_rows)))
            for n, t in sources.tables(straight(*args, **kwargs)).items()
        }

    read = Mock(side_effect=shuffled)
    monkeypatch.setattr(sources, "relations", read)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    ws = small_workspace(tmp_path)
    run = hva.train(ws, PIPELINE)
    hva.promote(run, force="a test of the same bits")
    scores = hva.score(ws, PIPELINE, as_of="2025-12-31")

    assert read.call_count == 2
    assert run.metrics.equals(main_job.run.metrics)
    assert run.release == main_job.run.release
    assert scores.run_id == main_job.scores.run_id
    for name in ("scores", "explanations", "features"):
        mine, theirs = (
            hashlib.sha256((s.path / f"{name}.parquet").read_bytes()).hexdigest()
            for s in (scores, main_job.scores)
        )
        assert mine == theirs, name
