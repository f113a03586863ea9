"""Segments of leads: shifts that are kept are part of the likelihood, in time order and without any time."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.jobs.leads.conftest import Job

from hva_ml.calibration import Segments, segments
from hva_ml.features.leads import opened
from hva_ml.jobs.leads.decided import calendar_of, decided_leads
from hva_ml.jobs.leads.fitting import Likelihood, fit_likelihood
from hva_ml.jobs.prepare import prepare
from hva_ml.jobs.segments import shifts

SEGMENT = "lead.channel"


def _both(job: Any, pipeline: str, patch: pytest.MonkeyPatch) -> tuple[Likelihood, Likelihood, np.ndarray]:
    """Return the likelihood without segments, with shifts that are kept, and the encoded leads."""
    config = job.ws.config(pipeline)
    leads, _ = decided_leads(opened(prepare(job.ws, config).tables, config))
    moment = None if config.leads.clock == "none" else int(leads.told.position.max()) + leads.told.span + 2
    assert calendar_of(leads, config).days

    def fitted(segment: str) -> Likelihood:
        own = replace(config, models=replace(config.models, segment=segment))
        return fit_likelihood(leads.features, leads.told, moment, own, storage=None, study="segments")

    bare = fitted("")
    patch.setattr(segments, "SDS", (0.3,))
    patch.setattr(Segments, "kept", property(lambda _: True))
    return bare, fitted(SEGMENT), bare.encoder.transform(leads.features)


@pytest.mark.parametrize("pipeline", ["inquiries", "deals"])
def test_kept_shifts_are_added_to_the_margin_and_to_nothing_else(
    dated: Job, undated: Job, pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, own, X = _both({"inquiries": dated, "deals": undated}[pipeline], pipeline, monkeypatch)
    assert bare.calibrated.segments is None
    told = own.calibrated.segments
    assert told is not None
    assert told.judged == ("later" if pipeline == "inquiries" else "groups")
    (steps,) = shifts(own.calibrated, own.encoder)
    assert own.booster.margin(X) - bare.booster.margin(X) == pytest.approx(steps.margin(X), abs=1e-9)
    column, names = X[:, own.encoder.names.index(SEGMENT)], own.encoder.columns[0].categories
    by = steps.margin(X) * own.calibrated.pooled.slope  # type: ignore[union-attr]
    for k in range(len(names)):
        assert by[column == k] == pytest.approx(told.shift[k])
    assert np.abs(told.shift).max() > 0.001


def test_shifts_that_do_not_pay_leave_every_bit_as_it_was(undated: Job) -> None:
    config = undated.ws.config("deals")
    leads, _ = decided_leads(opened(prepare(undated.ws, config).tables, config))
    asked = replace(config, models=replace(config.models, segment="lead.urgency"))
    bare, own = (
        fit_likelihood(leads.features, leads.told, None, c, storage=None, study="s") for c in (config, asked)
    )
    told = own.calibrated.segments
    assert told is not None
    assert not told.kept
    assert own.booster.text == bare.booster.text
    assert own.calibrated.map == bare.calibrated.map
