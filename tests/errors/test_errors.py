"""Errors say what, where, why and how to mend it; they stay short and keep at most five ids."""

import inspect

from hva_ml import errors


def test_an_error_tells_its_four_parts_and_stays_short() -> None:
    error = errors.SourceError("x" * 5000, where="w", why="y", fix="f", ids=[f"id{i}" for i in range(99)])
    text = str(error)
    assert len(text) < 1000
    assert "id4" in text
    assert "id5" not in text
    for part in ("where: w", "why it matters: y", "to mend it: f"):
        assert part in text
    assert error.record()["error"] == "SourceError"


def test_every_error_has_a_documented_exit_code() -> None:
    tree = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.HvaError)]
    assert {c.__name__: c.exit_code for c in tree} == {
        "HvaError": 1, "WorkspaceError": 1, "SourceError": 1, "IntegrityError": 1, "DeliveryError": 1,
        "UsageError": 2, "ConfigError": 2,
        "ContractError": 3, "NotEnoughDataError": 3, "RefusedError": 3,
        "BusyError": 4,
    }  # fmt: skip
