"""Which family stands beside the trees."""

import numpy as np

from hva_ml.jobs.leads.candidates import Candidate, Other, best_of, others


def _candidate(other: Other | None, losses: np.ndarray) -> Candidate:
    return Candidate(other, 0.5 if other else 0.0, np.zeros(len(losses)), losses / len(losses))


def test_logistic_regression_must_win_by_more_than_chance() -> None:
    rng = np.random.default_rng(5)
    base = rng.exponential(0.3, 400)
    trees, steps = _candidate(None, base), _candidate(Other("additive", 3.0), base - 0.001)
    noise = rng.normal(0.0, 0.2, 400)
    noise -= noise.mean()
    by_chance = _candidate(Other("logistic", 1.0), base - 0.005 + noise)
    truly = _candidate(Other("logistic", 1.0), base - 0.02 + noise)
    assert by_chance.loss < steps.loss < trees.loss
    assert best_of([trees, steps, by_chance]) is steps
    assert best_of([trees, steps, truly]) is truly
    hopeless = _candidate(None, np.full(400, np.inf))
    assert best_of([hopeless, by_chance]) is by_chance
    assert best_of([trees, _candidate(Other("additive", 3.0), base)]) is trees


def test_every_other_family_says_what_it_is() -> None:
    told = [_candidate(o, np.ones(3)) for o in others()]
    assert len({c.words() for c in told}) == len(told) == 9
    logistic = next(c for c in told if c.other and c.other.family == "logistic")
    assert logistic.told() == {
        "additive_share": 0.0, "additive_penalty": 0.0, "logistic_share": 0.5, "logistic_penalty": 0.1
    }  # fmt: skip
    assert _candidate(None, np.ones(3)).words() == "best trees alone"
