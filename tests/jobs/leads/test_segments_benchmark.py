"""What the benchmark of segments says of later leads is what the fits themselves say."""

import numpy as np
import pytest
from benchmarks import segment_pipelines
from benchmarks.segment_shifts import Judged
from tests.jobs.leads.conftest import Job

from hva_ml.calibration import Membership, Segments
from hva_ml.features.leads import opened
from hva_ml.jobs.leads.decided import decided_leads
from hva_ml.jobs.leads.fitting import fit_likelihood
from hva_ml.jobs.prepare import prepare


def _log_loss(p: np.ndarray, y: np.ndarray) -> float:
    return float(-np.mean(np.where(y == 1, np.log(p), np.log(1 - p))))


def test_shifts_are_judged_beside_the_shared_map_and_drawn_in_whole_groups() -> None:
    rng = np.random.default_rng(3)
    code, logit = rng.integers(0, 2, 400), rng.normal(-1, 1, 400)
    shift = np.array([0.8, -0.8])
    y = (rng.random(400) < 1 / (1 + np.exp(-logit - shift[code]))).astype(float)
    found = Segments("lead.channel", shift, 0.8, "later", 0.01, 0.002, ())
    member = Membership("lead.channel", ("fair", "web"), code)
    row = Judged(logit, y, np.arange(400)).row("a case", found, member)
    before = _log_loss(1 / (1 + np.exp(-logit)), y)
    after = _log_loss(1 / (1 + np.exp(-logit - shift[code])), y)
    assert (row["log_loss"], row["log_loss_with_shifts"]) == (pytest.approx(before), pytest.approx(after))
    assert row["lower_by"] == pytest.approx(before - after)
    low, high = map(float, row["lower_by_interval"].split(" to "))
    assert 0 < low < before - after < high
    assert (row["kept"], row["segments"], row["rows"]) == ("yes", 2, 400)
    two = [found, Segments("lead.channel", shift, 0.0, "later", 0.0, 0.0, ())]
    together = Judged(logit, y, np.zeros(400)).rated("a case", two, found.of(member))
    assert together["kept"] == "1 of 2 fits"
    assert together["lower_by_interval"] == "{0:.4f} to {0:.4f}".format(before - after)


def test_leads_in_time_are_judged_by_a_fit_of_what_was_known_at_the_first_of_them(dated: Job) -> None:
    (row,) = segment_pipelines.leads(dated.ws, "inquiries", ("lead.channel",))
    config = dated.ws.config("inquiries")
    leads, _ = decided_leads(opened(prepare(dated.ws, config).tables, config))
    place = np.sort(leads.told.position)
    moment = int(place[int(0.8 * len(place))])
    then, later = leads.take(leads.told.position < moment), leads.take(leads.told.position >= moment)
    fit = fit_likelihood(then.features, then.told, moment, config, storage=None, study="plain")
    margin = fit.booster.margin(fit.encoder.transform(later.features))
    p = fit.calibrated.map.probability(margin)
    assert row["rows"] == len(p)
    assert row["log_loss"] == pytest.approx(_log_loss(p, later.targets.converted))
    assert row["segments"] == 4
    assert row["kept"] in ("yes", "no")


def test_leads_without_time_are_each_judged_once_by_folds_that_had_not_seen_them(undated: Job) -> None:
    (row,) = segment_pipelines.leads(undated.ws, "deals", ("lead.channel",))
    config = undated.ws.config("deals")
    leads, _ = decided_leads(opened(prepare(undated.ws, config).tables, config))
    assert row["rows"] == len(leads.told.position) > 150
    assert row["kept"].endswith(" of 3 fits")
    assert 0.3 < row["log_loss"] < 0.72
