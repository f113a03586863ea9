"""Files of somebody else's making are refused and never run; `python -m benchmarks.trust --only foreign`."""

import pickle
from pathlib import Path

import pytest
from benchmarks.trust.foreign import Trap, foreign

import hva_ml as hva


def test_the_trap_would_show_it(base: hva.Workspace, tmp_path: Path) -> None:
    trap = Trap(base, tmp_path / "trap")
    pickle.loads(trap.pickled)  # noqa: S301  (our own, to see that it would run)
    assert trap.marker.exists()
    trap.marker.unlink()
    exec(compile(trap.code, "foreign", "exec"), {})
    assert trap.marker.exists()


@pytest.mark.slow
def test_nothing_foreign_runs_or_leads_astray(base: hva.Workspace, tmp_path: Path) -> None:
    found = list(foreign(base, tmp_path / "foreign", every=False))
    assert [t.bad for t in found] == [[]] * 2
    assert all(t.ends["refused with words"] >= 8 for t in found)
