"""Empty and one-sided sources end in words; `python -m benchmarks.trust --only sizes` tries more."""

from pathlib import Path

import pytest
from benchmarks.trust.sizes import released, sizes

import hva_ml as hva


@pytest.mark.slow
def test_nothing_is_learned_or_published_of_nothing(base: hva.Workspace, tmp_path: Path) -> None:
    nights, trainings = sizes(released(base), tmp_path / "sizes", every=False)
    assert (nights.bad, trainings.bad) == ([], [])
    assert nights.ends["published whole"] >= 1
    assert nights.ends["refused with words, the last night stays"] >= 1
    assert trainings.tried == 1
