"""Families multiply to the score over the reference's, separately for likelihood and value."""

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hva_ml.explanation.families import families
from hva_ml.features.definition import FeatureDefinition

FAMILIES = ("engagement", "firmographic", "deals")


def feature(name: str, family: str) -> FeatureDefinition:
    return FeatureDefinition(name, family, "number", "accounts", "attribute", "count", name, name)


@given(
    st.lists(
        st.tuples(st.sampled_from(FAMILIES), st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=12
    )
)
def test_families_multiply_to_all_contributions(parts: list[tuple[str, float, float]]) -> None:
    definitions = [feature(f"f{k}", family) for k, (family, _, _) in enumerate(parts)]
    likelihood, value = (np.array([p[k] for p in parts]) for k in (1, 2))
    found = families(definitions, likelihood, value)
    assert math.isclose(math.prod(f.likelihood for f in found), math.exp(likelihood.sum()), rel_tol=1e-12)
    assert math.isclose(math.prod(f.value for f in found), math.exp(value.sum()), rel_tol=1e-12)
    for f in found:
        assert math.isclose(f.total, f.likelihood * f.value, rel_tol=1e-12)
    strength = [abs(math.log(f.total)) for f in found]
    assert all(a >= b - 1e-9 for a, b in itertools.pairwise(strength))
    assert {f.family for f in found} == {family for family, _, _ in parts}
