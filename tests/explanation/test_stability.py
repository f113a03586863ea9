"""How alike the reasons of two models are, against plain Python."""

import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hva_ml.explanation.reasons import reasons
from hva_ml.explanation.stability import stability
from hva_ml.features.definition import FeatureDefinition

EFFECTS = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 25), st.just(6)), elements=st.sampled_from([-1.0, -0.2, 0, 0.1, 0.7])
)


def feature(name: str, topic: str = "") -> FeatureDefinition:
    return FeatureDefinition(
        name, "engagement", "number", "events", "count", "count", name, name, topic=topic
    )  # fmt: skip


OLD = (feature("a", "t"), feature("b", "t"), feature("gone"))
NEW = (feature("b", "t"), feature("a", "t"), feature("come"))


@given(EFFECTS)
def test_both_measures_are_those_of_a_plain_loop(phi: np.ndarray) -> None:
    old, new = phi[:, :3], phi[:, 3:]
    overlaps, cosines = [], []
    for before, after in zip(old, new, strict=True):
        told = [
            {
                (r.topic, r.direction)
                for r in reasons(definitions, [1.0] * 3, [0.0] * 3, row, language="en", limit=1)
            }
            for definitions, row in ((OLD, before), (NEW, after))
        ]
        either = told[0] | told[1]
        overlaps.append(len(told[0] & told[1]) / len(either) if either else 1.0)
        a = [*before.tolist(), 0.0]
        b = [after[1], after[0], 0.0, after[2]]
        lengths = math.hypot(*a) * math.hypot(*b)
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        cosines.append(1.0 if not any(a) and not any(b) else dot / lengths if lengths else 0.0)
    found = stability(OLD, old, NEW, new, 1)
    assert found.n_accounts == len(phi)
    assert found.overlap == median(overlaps)
    assert found.cosine == pytest.approx(median(cosines), abs=1e-12)


@given(EFFECTS)
def test_a_model_agrees_with_itself(phi: np.ndarray) -> None:
    found = stability(OLD, phi[:, :3], OLD, phi[:, :3], 3)
    assert found.overlap == 1.0
    assert found.cosine == pytest.approx(1.0)
    assert found.importance in (None, pytest.approx(1.0))


def test_importance_is_ranked_over_topics_that_move_anything() -> None:
    still = feature("still")
    old = np.array([[1.0, 0.0, 0.5, 0.0]])
    new = np.array([[0.0, 0.2, 0.4, 0.0]])
    found = stability((*OLD, still), old, (*NEW, still), new, 3)
    # t, gone, come: 1.0, 0.5, 0 against 0.2, 0, 0.4; the feature that does nothing in either does not count.
    assert found.importance == pytest.approx(-0.5)


def test_the_opposite_direction_is_another_reason() -> None:
    found = stability(OLD, np.array([[0.0, 0.0, 0.9]]), OLD, np.array([[0.0, 0.0, -0.9]]), 3)
    assert (found.overlap, found.cosine) == (0.0, -1.0)
