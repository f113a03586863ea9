"""The main job end to end on the simulated DACH vendor: what `make demo` runs."""

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hva_ml.errors import WorkspaceError
from hva_ml.jobs.explain import explain, spoken
from hva_ml.jobs.explained import Explained
from hva_ml.jobs.progress import LoggedProgress, Progress
from hva_ml.jobs.promote import Release, promote
from hva_ml.jobs.score import Scores, score
from hva_ml.jobs.start import init
from hva_ml.jobs.train import Run, train
from hva_ml.workspace import Workspace

PIPELINE = "dach_sample"
AS_OF = date(2025, 12, 31)


@dataclass(frozen=True)
class Demo:
    """Everything the demonstration made."""

    run: Run
    release: Release
    scores: Scores
    explained: Explained

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "run": self.run.record(),
            "release": self.release.record(),
            "scores": self.scores.record(),
            "explained": self.explained.record(),
        }


def demo(root: str | Path | None = None, *, language: str = "en", progress: Progress | None = None) -> Demo:
    """Train, promote, score and explain on simulated data.

    Runs in the workspace found as always; where there is none, one is made in a temporary folder, whose path
    is part of the result.
    """
    progress = progress or LoggedProgress()
    spoken(language)
    try:
        ws = Workspace.find(root)
    except WorkspaceError:
        ws, _ = init(root or tempfile.mkdtemp(prefix="hva-demo-"))
    run = train(ws, PIPELINE, progress=progress)
    release = promote(run)
    scores = score(ws, PIPELINE, as_of=AS_OF, progress=progress)
    best = scores.table["account_id"][0].as_py()
    return Demo(run, release, scores, explain(ws, PIPELINE, best, language=language))
