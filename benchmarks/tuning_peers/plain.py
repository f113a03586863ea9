"""Optuna and LightGBM as most people put them together: data sets made in every trial, early stopping."""

import sys
import time

import lightgbm as lgb
import numpy as np
import optuna
from sklearn.metrics import log_loss

path, trials = sys.argv[1], int(sys.argv[2])
data = np.load(path)
X, y = data["X"], data["y"]
folds = [(data[f"fit{k}"], data[f"valid{k}"]) for k in range(3)]
optuna.logging.set_verbosity(optuna.logging.WARNING)
FIXED = {"objective": "binary", "learning_rate": 0.05, "verbosity": -1, "seed": 7}


def objective(trial: optuna.Trial) -> float:
    """Return the log loss of one draw over the folds."""
    params = {
        **FIXED,
        "num_leaves": trial.suggest_int("num_leaves", 4, 31, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 20, 300, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 200.0, log=True),
    }
    losses, rows, rounds = [], [], []
    for fit, valid in folds:
        train = lgb.Dataset(X[fit], y[fit])
        held_out = lgb.Dataset(X[valid], y[valid], reference=train)
        stop = lgb.early_stopping(30, verbose=False)
        model = lgb.train(params, train, 400, valid_sets=[held_out], callbacks=[stop])
        losses.append(log_loss(y[valid], model.predict(X[valid])))
        rows.append(len(valid))
        rounds.append(model.best_iteration)
    trial.set_user_attr("rounds", round(float(np.mean(rounds))))
    return float(np.average(losses, weights=rows))


started = time.perf_counter()
study = optuna.create_study(
    storage=f"sqlite:///{sys.argv[3]}", study_name="plain", sampler=optuna.samplers.TPESampler(seed=7)
)
study.optimize(objective, n_trials=trials)
seconds = time.perf_counter() - started
best = {**FIXED, **study.best_params}
final = lgb.train(best, lgb.Dataset(X, y), study.best_trial.user_attrs["rounds"])
print(seconds, study.best_value, log_loss(data["y_test"], final.predict(data["X_test"])))
