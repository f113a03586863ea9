"""What tonight's sources say of an earlier day: what was published then, and less without its last rows."""

from datetime import date, timedelta

import hva_ml as hva
from hva_ml import publication
from hva_ml.cutoffs import instant
from hva_ml.jobs.nights.as_known import as_known
from hva_ml.jobs.prepare import prepare

PIPELINE, LAST = "dach_sample", date(2025, 12, 30)


def test_sources_say_the_same_of_last_night_and_less_of_it_without_its_last_month(
    night_before: hva.Workspace,
) -> None:
    ws, config = night_before, night_before.config(PIPELINE)
    tonight = prepare(ws, config, until=instant(LAST + timedelta(days=1), config.pipeline.timezone))
    folder = ws.scores(PIPELINE)
    run = publication.current(folder)
    assert run is not None
    again = as_known(ws, config, tonight, LAST, LAST)
    assert again == publication.of_published(folder, run).features
    aged = as_known(ws, config, tonight, LAST, LAST - timedelta(days=30))
    assert aged["events.count_30d"].apart == 0.0
    assert again["events.count_30d"].apart
    assert aged["events.count_90d"].level < again["events.count_90d"].level


def test_a_day_without_any_account_says_nothing(night_before: hva.Workspace) -> None:
    ws, config = night_before, night_before.config(PIPELINE)
    tonight = prepare(ws, config)
    assert as_known(ws, config, tonight, date(2001, 1, 1), date(2001, 1, 1)) == {}
