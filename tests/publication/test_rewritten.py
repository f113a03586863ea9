"""HVS015: what rows said last night they say tonight."""

from datetime import date

import pytest

from hva_ml.contracts.sampled import Sample
from hva_ml.publication.rewritten import LEAST, rewritten


def held(*values: range, level: int = 0) -> dict[str, Sample]:
    """Return a sample of amounts, and of kinds that never change."""
    amounts = frozenset(k for part in values for k in part)
    return {
        "invoices.amount_cents": Sample((level, 0), amounts),
        "events.event_type": Sample((level, 0), frozenset(range(50))),
    }


LAST = held(range(100))


@pytest.mark.parametrize(("gone", "found"), [(0, False), (4, False), (5, False), (6, True), (100, True)])
def test_a_column_of_which_many_values_are_gone_is_found(night, tonight, gone, found):
    now = held(range(gone, 100), range(1_000, 1_000 + gone))
    row = rewritten(tonight(night(sample=now)), night(sample=LAST), "")
    assert row.outcome == ("found" if found else "passed")
    assert row.measured == gone / 100
    if found:
        assert row.where == "invoices.amount_cents"
        assert (
            f"1 of 2 columns no longer have what they had last night: {row.where} {gone}% of 100" in row.what
        )
        assert "train again" in row.fix


def test_an_edited_pipeline_file_is_no_excuse_but_told(night, tonight):
    now = night(sample=held(range(50, 150)))
    assert "pipeline file" not in rewritten(tonight(now), night(sample=LAST), "").what
    row = rewritten(tonight(now), night(sample=LAST, settings="s2"), "")
    assert row.outcome == "found"
    assert row.what.endswith("rewritten. The pipeline file has changed, too.")


def test_what_was_added_is_nothing_that_changed(night, tonight):
    assert rewritten(tonight(night(sample=held(range(900)))), night(sample=LAST), "").measured == 0.0


def test_a_sample_is_held_against_one_of_more_rows_by_what_both_would_choose(night, tonight):
    size = 1 << 40
    last = {"a.b": Sample((0, 0), frozenset(k * size // 200 for k in range(200)))}
    now = {"a.b": Sample((0, 2), frozenset(v for v in last["a.b"].values if v < size >> 2))}
    row = rewritten(tonight(night(sample=now)), night(sample=last), "")
    assert (row.outcome, row.measured) == ("passed", 0.0)
    fewer = {"a.b": Sample((0, 2), frozenset(sorted(now["a.b"].values)[10:]))}
    assert rewritten(tonight(night(sample=fewer)), night(sample=last), "").measured == 10 / 50


def test_the_share_is_a_setting_and_few_values_tell_nothing(night, tonight):
    last, now = night(sample=LAST), night(sample=held(range(30, 100)))
    assert rewritten(tonight(now), last, "").outcome == "found"
    assert rewritten(tonight(now, max_rewritten=0.5), last, "").outcome == "passed"
    few = night(sample={"a.b": Sample((0, 0), frozenset(range(LEAST - 1)))})
    assert rewritten(tonight(night(sample={"a.b": Sample((0, 0), frozenset())})), few, "").outcome == (
        "not applicable"
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"as_of": date(2025, 1, 3)}, "is later"),
        ({"sample": {}}, "does not say what its rows were"),
        ({"sample": held(range(100), level=1)}, "does not say what its rows were"),
        (None, "The first run."),
    ],
)
def test_what_is_no_comparison_says_why(night, tonight, changes, says):
    last = None if changes is None else night(**{"sample": LAST, **changes})
    row = rewritten(tonight(night(sample=held(range(0)))), last, "The first run." if last is None else "")
    assert row.outcome == "not applicable"
    assert says in row.what
