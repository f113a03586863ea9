"""How the scores of a new champion go on from those that were published last."""

import pyarrow as pa
import pyarrow.compute as pc

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.errors import HvaError, UsageError
from hva_ml.jobs.published import current_run, numeric, open_run
from hva_ml.jobs.shadow import scored_beside
from hva_ml.registry.bundle import Bundle
from hva_ml.registry.continuity import Continuity, continuity
from hva_ml.workspace import Workspace

BEGINS = "stable_score begins anew, equal to expected_value: look at thresholds that rest on it."


def continued(
    ws: Workspace, config: PipelineConfig, bundle: Bundle, version: str
) -> tuple[Continuity | None, tuple[str, ...]]:
    """Return the map from a new champion's expected values to the scale that readers know.

    Both models are looked at on the accounts and features of the current published run.

    Parameters
    ----------
    bundle, version : Bundle, str
        The new champion.

    Returns
    -------
    tuple of (Continuity or None, tuple of str)
        None where nothing was published, or it was this very model; and what there is to say.
    """
    try:
        if publication.current(ws.scores(config.name)) is None:
            return None, ()
        run = open_run(ws, config.name, current_run(ws, config.name))
        if run.bundle.release == bundle.release:
            return None, ()
        scored = scored_beside(config, run, bundle, version)
    except UsageError as error:
        return None, (f"{error.what} So {BEGINS}",)
    except HvaError as error:
        return None, (f"The scores before cannot be compared with: {error.what} So {BEGINS}",)
    found = continuity(
        str(run.scores["model_version"][0].as_py()), run.run_id, scored.expected, numeric(known(run.scores))
    )
    return found, (() if found else (f"The scores before are all alike. So {BEGINS}",))


def known(scores: pa.Table) -> pa.ChunkedArray:
    """Return the column whose scale readers know: that of a run made before there was one is its own."""
    name = "stable_score" if "stable_score" in scores.column_names else "expected_value"
    return pc.cast(scores[name], pa.float64())
