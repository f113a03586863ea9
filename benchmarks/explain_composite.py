"""How far explanations of likelihood × value lie from the Shapley values of the composite itself.

`python -m benchmarks.explain_composite [--size small|full] [--json FILE]`: generated pairs of models over 8
features with missing values, interactions and a calibrator; brute force over all 256 coalitions against one
reference account is the truth, of ln(expected value) and of the expected value in money. Distance is
sum |φ - truth| / sum |truth| of an account; each method is held to the truth of its own space. The link from
margin to ln p bends the more the likelier a conversion is, so the figures are told by conversion rate.
"""

import argparse
import itertools
import math
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from benchmarks.results import tell
from hva_ml import calibration
from hva_ml.calibration import Calibrator
from hva_ml.explanation.composition import explain
from hva_ml.explanation.treeshap import interventional
from hva_ml.explanation.typical import typical
from hva_ml.training.booster import Booster

Floats = npt.NDArray[np.float64]
FEATURES = 8
ACCOUNTS = 5
MODELS = {"small": 2, "full": 25}
RATES = (0.02, 0.05, 0.1, 0.25)
COALITIONS = np.array(list(itertools.product((False, True), repeat=FEATURES)))


@dataclass(frozen=True)
class Pair:
    """A generated pair of models with accounts and their reference."""

    conversion: Booster
    calibrator: Calibrator
    value: Booster
    value_log_scale: float
    X: Floats
    reference: Floats
    outlook: None = None
    direct: bool = False

    def log_score(self, X: Floats) -> Floats:
        """Return ln(expected value)."""
        likely = self.calibrator.log_probability(self.conversion.margin(X))
        return np.asarray(likely + self.value.margin(X) + self.value_log_scale)


def pair(seed: int, rate: float) -> Pair:
    """Return models of a random signal with main effects, products and a threshold, at a conversion rate.

    Features are correlated, a tenth of them unknown.
    """
    random = np.random.default_rng(seed)
    n = 6000
    mixed = random.normal(size=(FEATURES, FEATURES)) * 0.3 + np.eye(FEATURES)
    X = random.normal(size=(n, FEATURES)) @ mixed
    X[random.random(X.shape) < 0.1] = np.nan
    known = np.nan_to_num(X)

    def signal() -> Floats:
        i, j, k = random.integers(0, FEATURES, 3)
        return np.asarray(
            known @ random.normal(size=FEATURES) * 0.5 + known[:, i] * known[:, j] * random.normal()
            + (known[:, k] > 0.5) * random.normal()
        )  # fmt: skip

    first, second = signal(), signal()
    noisy = first + random.logistic(size=n)
    converted = (noisy > np.quantile(noisy, 1.0 - rate)).astype(float)
    worth = np.exp(7 + 0.5 * second + 0.4 * random.normal(size=n))
    names = [f"f{k}" for k in range(FEATURES)]
    params = {
        "num_leaves": int(random.choice([7, 15, 31])), "learning_rate": 0.1, "min_child_samples": 20,
        "num_threads": 1,
    }  # fmt: skip
    rounds = int(random.choice([40, 80]))
    conversion = Booster.fit(
        X, converted, objective="binary", names=names, params=params, rounds=rounds, seed=seed
    )
    won = converted == 1
    value = Booster.fit(
        X[won], worth[won], objective="gamma", names=names, params=params, rounds=rounds, seed=seed
    )
    calibrator = calibration.fit("platt", conversion.margin(X), converted)
    return Pair(
        conversion, calibrator, value, 0.0, X[random.permutation(n)[:ACCOUNTS]],
        typical(X, ("number",) * FEATURES),
    )  # fmt: skip


def shapley(game: Floats) -> Floats:
    """Return the Shapley values of a game given by its value for every coalition, shape (2**FEATURES,)."""
    by = {tuple(c): v for c, v in zip(COALITIONS.tolist(), game.tolist(), strict=True)}
    found = np.zeros(FEATURES)
    for coalition, worth in by.items():
        size = sum(coalition)
        for j in range(FEATURES):
            if not coalition[j]:
                other = tuple(c or k == j for k, c in enumerate(coalition))
                weight = math.factorial(size) * math.factorial(FEATURES - size - 1) / math.factorial(FEATURES)
                found[j] += weight * (by[other] - worth)
    return found


def truth(p: Pair, row: Floats) -> tuple[Floats, Floats]:
    """Return the Shapley values of one account in log space and in money."""
    game = p.log_score(np.where(COALITIONS, row, p.reference))
    return shapley(game), shapley(np.exp(game))


def ours(p: Pair) -> Floats:
    """Return our contributions in log space."""
    return explain(p, p.X, p.reference).total


def money_propagation(p: Pair) -> Floats:
    """Return our contributions carried into money by the rescale rule."""
    total = ours(p)
    ends, base = np.exp(p.log_score(p.X)), float(np.exp(p.log_score(p.reference[None, :]))[0])
    return np.asarray(total * ((ends - base) / total.sum(axis=1))[:, None])


def mshap(p: Pair) -> Floats:
    """Return mSHAP (Lindstrom, Babaei Mokhtarabadi and Sarkar 2022) in money, against the same reference."""
    home = p.reference[None, :]
    parts = []
    for booster, link in (
        (p.conversion, p.calibrator.probability),
        (p.value, lambda m: np.exp(m + p.value_log_scale)),
    ):
        m, base = booster.margin(p.X), float(booster.margin(home)[0])
        there, here = link(np.array([base])), link(m)
        apart = m - base
        slope = np.where(apart == 0.0, 0.0, (here - there) / np.where(apart == 0.0, 1.0, apart))
        parts.append((interventional(booster, p.X, p.reference) * slope[:, None], float(there[0])))
    (s, f), (t, g) = parts
    both = s * t.sum(axis=1)[:, None] + t * s.sum(axis=1)[:, None]
    return np.asarray(s * g + t * f + 0.5 * both)


def two_contribs(p: Pair) -> Floats:
    """Return the sum of both models' ``pred_contrib``: what is read off two separate explanations."""
    found = [
        np.asarray(lightgbm.Booster(model_str=b.to_text()).predict(p.X, pred_contrib=True))[:, :-1]
        for b in (p.conversion, p.value)
    ]
    return np.asarray(found[0] + found[1])


def kernel_shap(samples: int) -> Callable[[Pair], Floats]:
    """Return KernelSHAP of ln(expected value) with so many coalitions, against the same reference."""

    def run(p: Pair) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import shap

            explainer = shap.KernelExplainer(p.log_score, p.reference[None, :])
            return np.asarray(explainer.shap_values(p.X, nsamples=samples, silent=True, l1_reg=False))

    return run


METHODS: tuple[tuple[str, int, Callable[[Pair], Floats]], ...] = (
    ("hva_ml, log space", 0, ours),
    ("KernelSHAP, 100 coalitions", 0, kernel_shap(100)),
    ("sum of two pred_contribs", 0, two_contribs),
    ("hva_ml carried into money", 1, money_propagation),
    ("mSHAP", 1, mshap),
)


def main() -> None:
    """Measure, print, and write the same as JSON."""
    parser = argparse.ArgumentParser(description="Explanations of a product of two models.")
    parser.add_argument("--size", choices=list(MODELS), default="small")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    found: dict[float, dict[str, list[float]]] = {rate: {m[0]: [] for m in METHODS} for rate in RATES}
    seconds: dict[str, list[float]] = {m[0]: [] for m in METHODS}
    for rate, seed in itertools.product(RATES, range(MODELS[asked.size])):
        p = pair(seed, rate)
        exact = [truth(p, row) for row in p.X]
        for name, space, method in METHODS:
            began = time.perf_counter()
            told = method(p)
            seconds[name].append((time.perf_counter() - began) / len(p.X))
            found[rate][name] += [
                float(np.abs(mine - right[space]).sum() / np.abs(right[space]).sum())
                for mine, right in zip(told, exact, strict=True)
            ]
    for name, space, _ in METHODS:
        everything = [d for rate in RATES for d in found[rate][name]]
        rows.append(
            {
                "case": name,
                "truth": ("ln(expected value)", "money")[space],
                **{f"rate {rate:.0%}": _percent(statistics.median(found[rate][name])) for rate in RATES},
                "all": _percent(statistics.median(everything)),
                "90 % below": _percent(statistics.quantiles(everything, n=10)[-1]),
                "ms an account": round(1000 * statistics.median(seconds[name]), 2),
            }
        )
    tell("explain_composite (median distance, %)", rows, asked.json, size=asked.size)


def _percent(share: float) -> float:
    return round(100 * share, 2)


if __name__ == "__main__":
    main()
