"""High-value accounts: which will convert, how much they are then worth, why, and later whether it was true.

>>> import hva_ml as hva
>>> ws = hva.Workspace.find()                            # doctest: +SKIP
>>> run = hva.train(ws, "dach_sample")                   # doctest: +SKIP
>>> hva.promote(run)                                     # doctest: +SKIP
>>> scores = hva.score(ws, "dach_sample", as_of="2025-12-31")   # doctest: +SKIP
>>> hva.explain(ws, "dach_sample", "A000123").text       # doctest: +SKIP

Importing this package does no work; each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hva_ml.errors import HvaError
    from hva_ml.jobs.advise import advise
    from hva_ml.jobs.backtest import backtest
    from hva_ml.jobs.changes import changes
    from hva_ml.jobs.check import check
    from hva_ml.jobs.contest import compare
    from hva_ml.jobs.deliver import deliver
    from hva_ml.jobs.demo import demo
    from hva_ml.jobs.explain import explain
    from hva_ml.jobs.monitor import monitor
    from hva_ml.jobs.nights.nightly import backfill, nightly
    from hva_ml.jobs.overview import overview
    from hva_ml.jobs.promote import promote
    from hva_ml.jobs.promote_from import promote_from
    from hva_ml.jobs.prune import prune
    from hva_ml.jobs.recalibrate import recalibrate
    from hva_ml.jobs.rollback import rollback
    from hva_ml.jobs.score import score
    from hva_ml.jobs.scorer import scorer
    from hva_ml.jobs.shadow import shadow
    from hva_ml.jobs.shap_values import shap_values
    from hva_ml.jobs.start import datasets, init
    from hva_ml.jobs.train import train
    from hva_ml.training.propensity import ConversionModel
    from hva_ml.training.value import ValueModel
    from hva_ml.workspace import Workspace

_HOME = {
    "Workspace": "workspace",
    "HvaError": "errors",
    "init": "jobs.start",
    "datasets": "jobs.start",
    "demo": "jobs.demo",
    "advise": "jobs.advise",
    "backfill": "jobs.nights.nightly",
    "backtest": "jobs.backtest",
    "changes": "jobs.changes",
    "check": "jobs.check",
    "deliver": "jobs.deliver",
    "train": "jobs.train",
    "monitor": "jobs.monitor",
    "compare": "jobs.contest",
    "nightly": "jobs.nights.nightly",
    "overview": "jobs.overview",
    "promote": "jobs.promote",
    "promote_from": "jobs.promote_from",
    "prune": "jobs.prune",
    "recalibrate": "jobs.recalibrate",
    "rollback": "jobs.rollback",
    "score": "jobs.score",
    "scorer": "jobs.scorer",
    "explain": "jobs.explain",
    "shadow": "jobs.shadow",
    "shap_values": "jobs.shap_values",
    "ConversionModel": "training.propensity",
    "ValueModel": "training.value",
}

__all__ = [
    "ConversionModel",
    "HvaError",
    "ValueModel",
    "Workspace",
    "advise",
    "backfill",
    "backtest",
    "changes",
    "check",
    "compare",
    "datasets",
    "deliver",
    "demo",
    "explain",
    "init",
    "monitor",
    "nightly",
    "overview",
    "promote",
    "promote_from",
    "prune",
    "recalibrate",
    "rollback",
    "score",
    "scorer",
    "shadow",
    "shap_values",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hva_ml' has no attribute {name!r}")
    value = getattr(import_module(f"hva_ml.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
