"""All features together, judged by one quick model on rows it has not seen: a hint when they know too much.

A leak may be spread over features of which none is suspicious alone. The model here is no candidate for
anything: its settings are fixed and nothing is searched. It is judged on later rows, and on other company
groups of the same time: where the world has changed meanwhile, a leak may show on the latter only.
"""

import numpy as np
import numpy.typing as npt

from hva_ml.contracts.probes import Probed
from hva_ml.contracts.records import Violation
from hva_ml.evaluation.suspicion.power import MIN_EACH, auc, halves, strongest
from hva_ml.features.definition import FeatureSet
from hva_ml.training.booster import Booster
from hva_ml.training.matrix import Encoder

Bools = npt.NDArray[np.bool_]

HINT_AUC = 0.85
ROUNDS = 100
PARAMS = {"num_leaves": 15, "learning_rate": 0.1, "min_child_samples": 50, "lambda_l2": 1.0}
SHOWN = 3

_NAME = "all features together"


def together(features: FeatureSet, actual: Bools, train: Bools, test: Bools, seed: int) -> Probed:
    """Learn from some rows, judge later ones and others of the same time, and hint if that goes too well.

    Parameters
    ----------
    features : FeatureSet
        Features of matured cutoffs.
    actual : numpy.ndarray of bool, shape (n_rows,)
        Whether the account converted.
    train, test : numpy.ndarray of bool, shape (n_rows,)
        The sides of an honest split.
    seed : int
        Seed of the model.

    Returns
    -------
    Probed
        ``HVL014`` info with an AUC above 0.85, naming the features that alone predict best; not applicable
        with fewer than 20 rows of either outcome on a side.
    """
    half = halves(features)
    learned, beside = train & half, train & ~half
    few = min(
        int((actual[side] == outcome).sum()) for side in (learned, beside, test) for outcome in (True, False)
    )
    if few < MIN_EACH:
        why = f"only {few} rows of one outcome on a side; {MIN_EACH} are needed"
        return Probed("HVL014", _NAME, "Nothing was learned.", (), why)
    later = _power(features, actual, train, test, seed)
    same = _power(features, actual, learned, beside, seed)
    what = (
        f"AUC {later:.3f} on {int(test.sum()):,} later rows, learned from {int(train.sum()):,}; "
        f"{same:.3f} on {int(beside.sum()):,} rows of other company groups of the same time."
    )
    return Probed("HVL014", _NAME, what, hint(max(later, same), features, actual))


def hint(power: float, features: FeatureSet, actual: Bools) -> tuple[Violation, ...]:
    """Return the hint that a model knows too much, if its AUC lies above 0.85.

    Parameters
    ----------
    power : float
        AUC of the model on rows that it has not seen.
    features, actual
        Where the features are found that alone predict best: they are looked at first.
    """
    if power <= HINT_AUC:
        return ()
    best = strongest(features, actual, SHOWN)
    told = ", ".join(f"{name} {value:.3f}" for name, value in best)
    what = (
        f"All features together reach an AUC of {power:.3f} on rows not learned from; few honest models of "
        f"sales data do. The strongest alone: {told}."
    )
    fix = "Ask of the features named when their values are really recorded; if before the cutoff, well done."
    return (
        Violation(
            "HVL014", "features", features.table.num_rows, "info", what, fix, tuple(n for n, _ in best)
        ),
    )


def _power(features: FeatureSet, actual: Bools, train: Bools, test: Bools, seed: int) -> float:
    seen, others = features.take(train), features.take(test)
    encoder = Encoder.fit(seen)
    model = Booster.fit(
        encoder.transform(seen), actual[train].astype(np.float64), objective="binary",
        names=list(encoder.names), params=PARAMS, rounds=ROUNDS, seed=seed,
    )  # fmt: skip
    return auc(model.margin(encoder.transform(others)), actual[test])
