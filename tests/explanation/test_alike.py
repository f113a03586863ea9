"""Accounts alike for the same reasons: nearest first, each once, only what they share is told."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.explanation.alike import alike
from hva_ml.features.definition import FeatureDefinition


def feature(name: str, topic: str = "") -> FeatureDefinition:
    return FeatureDefinition(
        name, "engagement", "number", "events", "count", "count", name, name, None, topic
    )


DEFINITIONS = [feature("a_30d", "a"), feature("a_90d", "a"), feature("b"), feature("c")]
OWN = np.array([0.5, 0.1, -0.4, 0.01])


def test_two_windows_of_one_topic_are_one_respect() -> None:
    other = np.array([[0.1, 0.5, -0.4, 0.01]])
    (found,) = alike(DEFINITIONS, OWN, other, ["X"])
    assert found.distance == pytest.approx(0.0, abs=1e-12)
    told = dict(found.shared)
    assert told[1] == pytest.approx(math.exp(0.6))
    assert told[2] == pytest.approx(math.exp(-0.4))
    assert 3 not in told, "an effect below the threshold is not worth telling"


def test_opposite_effects_are_not_shared() -> None:
    (found,) = alike(DEFINITIONS, OWN, -OWN[None, :], ["X"])
    assert found.shared == ()


def test_an_account_comes_once_and_equals_keep_their_order() -> None:
    rows = np.tile(OWN, (4, 1))
    rows[0, 2] = -0.3
    found = alike(DEFINITIONS, OWN, rows, ["X", "Y", "X", "Z"])
    assert [f.row for f in found] == [1, 2, 3]


@given(st.lists(st.lists(st.floats(-2, 2), min_size=4, max_size=4), min_size=1, max_size=9))
def test_no_candidate_left_out_is_nearer(rows: list[list[float]]) -> None:
    candidates = np.array(rows)
    found = alike(DEFINITIONS, OWN, candidates, [str(k) for k in range(len(rows))])
    both = np.column_stack([candidates[:, 0] + candidates[:, 1], candidates[:, 2], candidates[:, 3]])
    plain = np.abs(both - np.array([0.6, -0.4, 0.01])).sum(axis=1)
    assert [f.distance for f in found] == pytest.approx(sorted(plain)[:3])
