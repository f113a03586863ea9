"""How features of a day are by tonight's sources, as far as they were known before another day."""

from datetime import date

from hva_ml import publication
from hva_ml.config import PipelineConfig
from hva_ml.cutoffs import Calendar, instant
from hva_ml.errors import HvaError
from hva_ml.jobs.features import build_features
from hva_ml.jobs.prepare import Prepared
from hva_ml.workspace import Workspace


def as_known(
    ws: Workspace, config: PipelineConfig, prepared: Prepared, day: date, before: date
) -> dict[str, publication.Profile]:
    """Return the profiles of the features of a day, from what was known before another one.

    Empty where they cannot be made: then the audit goes by what it has.
    """
    zone = config.pipeline.timezone
    when = Calendar((day,), config.horizon.days, config.horizon.gap_days, zone)
    tables = prepared.tables.upto(instant(before, zone))
    try:
        features = build_features(ws, config, tables, when, prepared.own)
    except HvaError:
        return {}
    return publication.profiles(features) if features.table.num_rows else {}
