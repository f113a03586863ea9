"""What monitoring said of a night is a record that JSON can hold."""

import json
from types import SimpleNamespace

from hva_ml.jobs.nights.watch import watched


def test_new_alarms_are_counted_by_code_and_can_be_written_as_json() -> None:
    raised = [SimpleNamespace(code="HVM001"), SimpleNamespace(code="HVM002"), SimpleNamespace(code="HVM002")]
    advice = SimpleNamespace(age_days=30, outcome="keep")
    found = SimpleNamespace(findings=[], raised=raised, kept=None, coming=None, advice=advice)
    told = json.loads(json.dumps(watched(found).record()))  # type: ignore[arg-type]
    assert told["raised"] == {"HVM001": 1, "HVM002": 2}
