"""What changed in an export is told or changes nothing; `python -m benchmarks.trust --only mutants`."""

from pathlib import Path

import pytest
from benchmarks.trust.mutants import mutants, mutated
from benchmarks.trust.sizes import released

import hva_ml as hva


@pytest.mark.slow
def test_no_mutant_changes_scores_without_a_word(base: hva.Workspace, tmp_path: Path) -> None:
    (tally,) = mutated(released(base), tmp_path / "mutants", every=30)
    assert tally.bad == []
    assert tally.tried == -(-len(mutants()) // 30)
    assert len(tally.ends) == 2
