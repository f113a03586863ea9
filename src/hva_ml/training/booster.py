"""The door to LightGBM: native boosters, kept as text, the same bits for any number of threads."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from hva_ml.compiled import in_blocks
from hva_ml.errors import ContractError, HvaError, IntegrityError, NotEnoughDataError
from hva_ml.training.layout import Layout, layout
from hva_ml.training.quickscorer import raw_scores

Array = npt.NDArray[np.float64]

OBJECTIVES = ("binary", "tweedie", "gamma", "regression", "huber")
MIN_ROWS = 10
TWEEDIE_POWER = 1.5
HUBER_DELTA = 1.0
SMALL_CELLS = 5_000_000
ROWS_AT_ONCE = 4096
MANY_ROWS = 4096
"""From so many rows on our own kernel scores, by the same bits. (Measured: reading the trees takes LightGBM's
time for 3,000 rows.)"""

log = logging.getLogger(__name__)

_BINNING: dict[str, Any] = {"verbosity": -1, "feature_pre_filter": False}
# Measured: `deterministic` alone is not bit-stable across thread counts, with force_col_wise it is.
_FIXED: dict[str, Any] = {
    **_BINNING,
    "deterministic": True,
    "force_col_wise": True,
    "boosting": "gbdt",
    "tweedie_variance_power": TWEEDIE_POWER,
}


@dataclass(frozen=True, eq=False)
class Booster:
    """A trained LightGBM model.

    Attributes
    ----------
    text : str
        The model in LightGBM's own text form; two boosters are the same if their texts are.
    native : lightgbm.Booster
        The library's object, read from `text`, for explanation and prediction.
    """

    text: str
    native: Any

    @classmethod
    def fit(
        cls,
        X: Array,
        y: Array,
        *,
        objective: str,
        names: Sequence[str],
        params: Mapping[str, Any],
        rounds: int,
        seed: int,
        weight: Array | None = None,
        start: Array | None = None,
    ) -> "Booster":
        """Train.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_features)
            NaN where unknown. Sort rows first: sums of floats depend on their order.
        y : ndarray of float64, shape (n_rows,)
            0 or 1 for ``binary``; ≥ 0 for ``tweedie``; > 0 for ``gamma``; any number for ``regression``.
        objective : str
            ``binary``, ``tweedie`` (variance power 1.5), ``gamma``, ``regression`` (squared error) or
            ``huber`` (absolute error beyond 1).
        names : sequence of str, length n_features
            Feature names, ``[A-Za-z0-9_.]``.
        params : mapping
            LightGBM parameters; those that keep training deterministic cannot be overridden. Without
            ``num_threads``, small matrices are trained on one thread: it changes the time, never a bit.
        rounds : int
            Number of trees.
        seed : int
            Seed of all of LightGBM's draws.
        weight : ndarray of float64, shape (n_rows,), optional
            Weights ≥ 0.
        start : ndarray of float64, shape (n_rows,), optional
            Raw scores that the trees begin from and leave out: add them to `margin`.

        Raises
        ------
        NotEnoughDataError
            With fewer than 10 rows, one class only, or no positive value under a log link.
        ContractError
            For a target outside its domain, or shapes that do not fit.
        """
        check_target(X, y, objective, names)
        settings = settings_of(X, objective, params, seed)
        grown = native(settings, binned(X, names, seed, y=y, weight=weight, start=start))
        for _ in range(rounds):
            grown.update()
        # The number of threads is a fact of the machine, not of the model.
        return cls.from_text(
            re.sub(r"^\[num_threads: .*\]$", "[num_threads: 0]", grown.model_to_string(), flags=re.MULTILINE)
        )

    @classmethod
    def from_text(cls, text: str) -> "Booster":
        """Read a booster from its text.

        Raises
        ------
        IntegrityError
            If the text is not a LightGBM model.
        """
        if not text.startswith("tree\n") or "\nend of trees\n" not in text:
            raise _broken()
        try:
            return cls(text, lightgbm.Booster(model_str=text))
        except lightgbm.basic.LightGBMError as error:
            raise _broken() from error

    def to_text(self) -> str:
        """Return LightGBM's own text form."""
        return self.text

    def raised(self, by: float) -> "Booster":
        """Return the same trees with every raw score higher by so much: it joins the leaves of the first."""
        grown = lightgbm.Booster(model_str=self.text)
        for leaf in range(grown.dump_model(num_iteration=1)["tree_info"][0]["num_leaves"]):
            grown.set_leaf_output(0, leaf, grown.get_leaf_output(0, leaf) + by)
        return self.from_text(grown.model_to_string())

    def __getstate__(self) -> str:
        return self.text

    def __setstate__(self, text: str) -> None:
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "native", lightgbm.Booster(model_str=text))

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return int(self.native.num_trees())

    @property
    def gain(self) -> Array:
        """Loss that the splits on each column saved in training, shape (n_features,)."""
        return np.asarray(self.native.feature_importance("gain"), dtype=np.float64)

    @property
    def n_features(self) -> int:
        """Number of matrix columns."""
        return int(self.native.num_feature())

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names, one per matrix column."""
        return tuple(self.native.feature_name())

    def margin(self, X: Array) -> Array:
        """Return the raw score of each row, shape (n_rows,): log-odds, log mean, or the regression itself.

        Raises
        ------
        ContractError
            If the number of columns is another than in training.
        """
        if X.ndim != 2 or X.shape[1] != self.n_features:
            raise ContractError(
                f"The model reads {self.n_features} features, the matrix has shape {X.shape}.",
                where="margin",
                fix="Encode with the encoder that was stored with the model.",
            )
        X = np.ascontiguousarray(X, dtype=np.float64)
        laid_out = _layout(self.text) if len(X) >= MANY_ROWS else None
        return self._native_margin(X) if laid_out is None else raw_scores(laid_out, X)

    def _native_margin(self, X: Array) -> Array:
        margin = np.empty(len(X), dtype=np.float64)

        # Rows are independent, so plain threads over blocks of them serve, and none waits by spinning.
        def work(first: int, last: int) -> None:
            margin[first:last] = self.native.predict(X[first:last], raw_score=True, num_threads=1)

        in_blocks(work, len(X), ROWS_AT_ONCE)
        return margin


def settings_of(X: Array, objective: str, params: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return all parameters of a training, those that keep it deterministic above any given ones."""
    own = {"alpha": HUBER_DELTA} if objective == "huber" else {}
    return {"num_threads": _threads(X), **params, **_FIXED, **own, "objective": objective, "seed": seed}


def binned(
    X: Array,
    names: Sequence[str],
    seed: int,
    reference: Any = None,
    *,
    y: Array | None = None,
    weight: Array | None = None,
    start: Array | None = None,
) -> Any:
    """Return rows as a constructed ``lightgbm.Dataset``, in the bins of `reference` if there is one."""
    data = lightgbm.Dataset(
        np.ascontiguousarray(X), label=np.zeros(len(X)) if y is None else y, weight=weight,
        init_score=start, reference=reference, feature_name=list(names),
        params={"num_threads": _threads(X), **_BINNING, "seed": seed},
    )  # fmt: skip
    return data.construct()


def hush() -> None:
    """Keep LightGBM silent in this thread: it holds its log level for each thread by itself."""
    # The number of threads, in contrast, is one for the whole process: without it here the boosters already
    # at work would go on with all cores and wait for each other by spinning.
    lightgbm.Dataset(np.zeros((2, 1)), params={**_BINNING, "num_threads": 1}).construct()


def native(settings: Mapping[str, Any], data: Any, valid: Any = None) -> Any:
    """Return a ``lightgbm.Booster`` without trees yet.

    Raises
    ------
    HvaError
        If LightGBM does not take the settings.
    """
    try:
        booster = lightgbm.Booster({**settings, "metric": "None"}, data)
        if valid is not None:
            booster.add_valid(valid, "valid")
    except lightgbm.basic.LightGBMError as error:
        raise HvaError(
            f"LightGBM could not train: {error}.",
            where=f"objective {settings['objective']}, {data.num_data()} rows, {data.num_feature()} features",
            fix="Check [search] and [models] of the pipeline.",
        ) from error
    return booster


@lru_cache(maxsize=8)
def _layout(text: str) -> Layout | None:
    try:
        return layout(text)
    except IntegrityError as error:
        log.warning("LightGBM itself scores, several times slower than the kernel. %s", error.what)
        return None


def _threads(X: Array) -> int:
    # Measured on two busy cores: LightGBM's threads wait for each other by spinning, and 100 trees on
    # 6,000 rows took 13.8 s instead of 0.4 s. 0 leaves the number to LightGBM.
    return 1 if X.size < SMALL_CELLS else 0


def _broken() -> IntegrityError:
    return IntegrityError(
        "The stored model text is not a complete LightGBM model.",
        where="booster text",
        fix="Restore the file from the release, or train again.",
    )


def check_target(X: Array, y: Array, objective: str, names: Sequence[str]) -> None:
    """Refuse a target that an objective cannot learn; see `Booster.fit`."""
    if objective not in OBJECTIVES:
        raise ContractError(
            f"Unknown objective '{objective}'.", where="objective", fix=f"Use one of {', '.join(OBJECTIVES)}."
        )
    if X.ndim != 2 or X.shape != (len(y), len(names)):
        raise ContractError(
            f"Matrix of shape {X.shape}, {len(y)} labels and {len(names)} names do not fit.",
            where="fit",
            fix="Give one label per row and one name per column.",
        )
    if len(y) < MIN_ROWS:
        raise NotEnoughDataError(
            f"{len(y)} rows are too few to train on; at least {MIN_ROWS} are needed.",
            where=f"objective {objective}",
            fix="Use more cutoffs or a wider [population]; check [target] finds conversions.",
        )
    low = {"binary": 0.0, "tweedie": 0.0, "gamma": np.nextafter(0, 1)}.get(objective, -np.inf)
    outside = ~np.isfinite(y) | (y < low) | ((objective == "binary") & (y != 0) & (y != 1))
    if outside.any():
        raise ContractError(
            "The target has values outside its domain.",
            where=f"objective {objective}, {int(outside.sum())} of {len(y)} rows",
            fix="binary takes 0 and 1, tweedie numbers ≥ 0, gamma numbers > 0.",
        )
    if objective == "binary" and y.min() == y.max():
        raise NotEnoughDataError(
            f"All {len(y)} accounts of the training side have the same outcome "
            f"({'converted' if y[0] else 'not converted'}).",
            where="conversion target",
            why="There is nothing to tell apart.",
            fix="Check [target], lengthen [horizon] days, or use more cutoffs.",
        )
    if objective == "tweedie" and not y.max() > 0:
        raise NotEnoughDataError(
            f"None of the {len(y)} converted accounts has a positive value.",
            where="value target",
            fix="Check the amounts of the value table and their sign: credit notes are negative.",
        )
