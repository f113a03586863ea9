"""The same search by hva_ml."""

import sys
import time

import numpy as np
from scipy.special import expit
from sklearn.metrics import log_loss

from hva_ml.config import Models, Search
from hva_ml.training.booster import Booster
from hva_ml.training.search import search

path, trials, store, factor = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
data = np.load(path)
X, y, names = data["X"], data["y"], tuple(f"f{k}" for k in range(data["X"].shape[1]))
groups = data["groups"].tolist()
started = time.perf_counter()
found = search(
    "conversion", X, y, groups, data["cutoffs"], config=Search(trials=trials, learning_rate_factor=factor),
    models=Models(), names=names, storage=f"sqlite:///{store}", study_name="ours",
)  # fmt: skip
seconds = time.perf_counter() - started
final = Booster.fit(X, y, objective="binary", names=names, params=found.params, rounds=found.rounds, seed=7)
print(seconds, found.value, log_loss(data["y_test"], expit(final.margin(data["X_test"]))))
