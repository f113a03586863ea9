"""A probe has passed, found something, or could not be asked; a mere note is no alarm."""

import pytest

from hva_ml.contracts.probes import Probed
from hva_ml.contracts.records import Violation


def violation(severity):
    return Violation("HVL001", "features", 1, severity, "what", "fix", ("x",))


@pytest.mark.parametrize(
    ("severities", "why", "outcome"),
    [
        ((), "", "passed"),
        (("info",), "", "passed"),
        (("warning",), "", "found"),
        (("info", "error"), "", "found"),
        ((), "nothing was there", "not applicable"),
        (("info",), "nothing was there", "not applicable"),
        (("error",), "nothing was there", "found"),
    ],
)
def test_outcomes(severities, why, outcome):
    probe = Probed("HVL001", "truncation", "done", tuple(map(violation, severities)), why)
    assert probe.outcome == outcome
    assert [v.severity for v in probe.alarms] == [s for s in severities if s != "info"]
    assert probe.record() == {
        "code": "HVL001", "name": "truncation", "outcome": outcome, "what": "done", "why": why
    }  # fmt: skip
