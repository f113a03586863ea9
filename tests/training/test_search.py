import gc
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import optuna
import pyarrow.compute as pc
import pytest
import sklearn.metrics
from optuna.trial import TrialState
from scipy.special import expit
from sklearn.metrics import mean_tweedie_deviance

from hva_ml import config as settings
from hva_ml.errors import ConfigError, NotEnoughDataError, WorkspaceError
from hva_ml.training.booster import Booster
from hva_ml.training.growing import Ground
from hva_ml.training.search import relative_deviance, search
from hva_ml.training.search.judging import log_loss
from hva_ml.training.search.store import Kept, opened
from hva_ml.training.value import fit_value

NAMES = tuple(f"f{k}" for k in range(8))
MODELS = settings.Models(rounds=60, learning_rate=0.1)
QUICK = settings.Search(trials=7)


def data(kind: str, n: int = 900):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, len(NAMES)))
    signal = X[:, 0] - 0.5 * X[:, 1]
    y = np.exp(signal + rng.normal(size=n)) if kind == "value" else (signal + rng.normal(size=n) > 1) * 1.0
    return X, y, [f"G{k}" for k in rng.integers(0, 200, n)], np.sort(rng.integers(0, 9, n))


def run(kind: str = "conversion", **changes):
    X, y, groups, codes = data(kind)
    given = {
        "config": QUICK, "models": MODELS, "names": NAMES, "storage": None, "study_name": "s",
    } | changes  # fmt: skip
    return search(kind, X, y, groups, codes, **given)


def without_time(result):
    return result.trials.drop_columns(["seconds"])


@pytest.mark.parametrize("kind", ["conversion", "value"])
def test_the_same_search_twice_is_the_same(kind):
    one, two = run(kind), run(kind)
    alike = run(kind, config=settings.Search(trials=7, learning_rate_factor=1.0))
    assert without_time(one).equals(without_time(two))
    assert (one.params, one.rounds, one.value) == (two.params, two.rounds, two.value)
    assert one.ran == one.trials.num_rows == 7
    complete = alike.trials.filter(pc.equal(alike.trials["state"], "complete"))
    assert alike.value == min(complete["value"].to_pylist())
    assert len(set(one.trials["num_leaves"].to_pylist())) > 2
    assert run(kind, models=settings.Models(rounds=60, learning_rate=0.1, seed=8)).value != one.value


def test_results_feed_the_models():
    X, y, *_ = data("conversion")
    found = run("conversion")
    assert found.distribution is None
    booster = Booster.fit(
        X, y, objective="binary", names=NAMES, params=found.params, rounds=found.rounds, seed=7
    )
    assert booster.n_trees == found.rounds
    X, y, *_ = data("value")
    found = run("value")
    assert set(found.trials["distribution"].to_pylist()) == {"tweedie", "gamma", "lognormal"}
    assert 0 < found.value < 0.8
    fitted = fit_value(
        X, y, distribution=found.distribution, names=NAMES, params=found.params, rounds=found.rounds, seed=7
    )
    assert np.isfinite(fitted.predict(X)).all()


def test_only_named_families_compete_and_ranges_bind():
    models = settings.Models(rounds=40, value=("gamma",))
    config = settings.Search(trials=5, num_leaves=(4, 6), feature_fraction=(0.5, 0.5), lambda_l2=(20.0, 50.0))
    found = run("value", models=models, config=config)
    table = found.trials
    assert set(table["distribution"].to_pylist()) == {"gamma"}
    assert set(table["num_leaves"].to_pylist()) <= {4, 5, 6}
    assert set(table["feature_fraction"].to_pylist()) == {0.5}
    # The starting point is moved into the ranges.
    assert table["lambda_l2"][0].as_py() == 20.0
    assert table["num_leaves"][0].as_py() == 6


def test_a_finished_study_is_reused(tmp_path):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    seen: list[tuple[int, int, float]] = []
    one = run(storage=storage, progress=lambda *a: seen.append(a))
    assert [s[:2] for s in seen] == [(k + 1, 7) for k in range(7)]
    complete = one.trials.filter(pc.equal(one.trials["state"], "complete"))
    assert seen[-1][2] == min(complete["value"].to_pylist())
    two = run(storage=storage)
    assert (one.ran, two.ran) == (7, 0)
    assert one.trials.equals(two.trials)
    assert (one.params, one.rounds, one.value) == (two.params, two.rounds, two.value)
    assert without_time(run()).equals(without_time(one))
    fewer = run(storage=storage, config=settings.Search(trials=3))
    assert fewer.ran == 0
    assert without_time(fewer).equals(without_time(one).slice(0, 3))


SCRIPT = """
import os, signal, sys
sys.path.insert(0, sys.argv[4])
from test_search import run
def killed(done, total, best):
    if done == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
print("begun", flush=True)
found = run(sys.argv[1], storage=sys.argv[2], progress=killed)
print(found.trials.drop_columns(["seconds"]).to_pydict(), flush=True)
"""


def begin(kind, storage, after=0):
    arguments = [sys.executable, "-c", SCRIPT, kind, storage, str(after), str(Path(__file__).parent)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", ["conversion", "value"])
def test_a_killed_search_ends_as_one_that_was_not(tmp_path, kind):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    process = begin(kind, storage, after=5)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    resumed = run(kind, storage=storage)
    assert resumed.ran in (2, 3)  # the fifth may have been on its way to the disk
    assert without_time(resumed).equals(without_time(run(kind)))


def test_two_processes_at_one_study_neither_double_nor_differ(tmp_path):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    run(storage=storage, config=settings.Search(trials=1))
    both = [begin("conversion", storage) for _ in range(2)]
    told = [process.communicate()[0].splitlines()[-1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert told[0] == told[1] == str(without_time(run()).to_pydict())
    assert run(storage=storage).ran == 0


def test_minutes_end_the_search_for_good(tmp_path, monkeypatch):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    now = iter(range(0, 10_000, 40))
    monkeypatch.setattr("hva_ml.training.search.time.monotonic", lambda: float(next(now)))
    hurried = settings.Search(trials=7, minutes=2)
    found = run(storage=storage, config=hurried)
    assert 1 <= found.trials.num_rows < 7
    again = run(storage=storage, config=hurried)
    assert again.ran == 0
    assert again.trials.equals(found.trials)
    monkeypatch.undo()
    assert without_time(found).equals(without_time(run()).slice(0, found.trials.num_rows))


@pytest.mark.parametrize("by", [1, 2])
def test_hopeless_trials_are_given_up_early_and_never_chosen(by):
    wide = settings.Search(
        trials=25, num_leaves=(2, 60), min_child_samples=(1, 300), lambda_l2=(1e-3, 1e4),
        learning_rate_factor=by,
    )  # fmt: skip
    found = run(config=wide, models=settings.Models(rounds=120, learning_rate=0.1))
    pruned = found.trials.filter(pc.equal(found.trials["state"], "pruned"))
    assert pruned.num_rows > 3
    complete = found.trials.filter(pc.equal(found.trials["state"], "complete"))
    best = min(complete["value"].to_pylist())
    chosen = complete.filter(pc.equal(complete["value"], best)).to_pylist()[0]
    assert {name: chosen[name] for name in found.params if name != "learning_rate"} == {
        name: value for name, value in found.params.items() if name != "learning_rate"
    }
    assert by > 1 or found.value == best
    assert set(pruned["grown"].to_pylist()) <= set(range(20 // by, 120 // by, 10 // by))
    assert min(pruned["value"].to_pylist()) > best
    assert min(pruned["number"].to_pylist()) >= 5
    assert (pc.greater_equal(complete["grown"], complete["rounds"])).to_pylist() == [True] * len(complete)


def test_with_many_trials_known_fewer_may_go_on(monkeypatch):
    grown = {}
    for many in (5, 99):
        monkeypatch.setattr("hva_ml.training.search.study.MANY", many)
        grown[many] = sum(run(config=settings.Search(trials=20)).trials["grown"].to_pylist())
    assert grown[5] < grown[99]


def test_trees_may_learn_faster_while_searching_and_are_counted_at_their_own_rate(tmp_path, monkeypatch):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    slow = run(config=settings.Search(trials=1, learning_rate_factor=1.0))
    fast = run(storage=storage, config=settings.Search(trials=1, learning_rate_factor=2.0))
    assert (fast.params, fast.rounds, fast.value) == (slow.params, slow.rounds, slow.value)
    assert fast.trials["grown"][0].as_py() < slow.trials["grown"][0].as_py()
    monkeypatch.setattr("hva_ml.training.search.race", None)  # what was counted once is kept
    again = run(storage=storage, config=settings.Search(trials=1, learning_rate_factor=2.0))
    assert (again.ran, again.rounds, again.value) == (0, slow.rounds, slow.value)


def test_rounds_counted_for_a_few_trials_are_not_those_of_more(tmp_path):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    few, more = (settings.Search(trials=n, learning_rate_factor=2.0) for n in (1, 7))
    run(storage=storage, config=few)
    found = run(storage=storage, config=more)
    alone = run(config=more)
    assert (found.params, found.rounds, found.value) == (alone.params, alone.rounds, alone.value)
    assert found.params != run(config=few).params


def test_parameters_that_decide_are_told():
    decided = settings.Search(
        trials=16, num_leaves=(2, 60), lambda_l2=(1e-3, 1e5), feature_fraction=(0.9, 1.0)
    )
    found = run(config=decided)
    assert next(iter(found.importance)) == "lambda_l2"
    assert sum(found.importance.values()) == pytest.approx(1)
    assert run(config=decided).importance == found.importance
    assert run(config=settings.Search(trials=3)).importance == {}


def test_further_parameters_are_searched_where_a_range_is_given():
    config = settings.Search(
        trials=6, learning_rate=(0.05, 0.3), lambda_l1=(0.01, 1.0), path_smooth=(0.1, 5.0)
    )
    found = run(config=config)
    assert {"learning_rate", "lambda_l1", "path_smooth"} <= set(found.params)
    assert len(set(found.trials["learning_rate"].to_pylist())) > 2
    assert found.trials["learning_rate"][0].as_py() == MODELS.learning_rate
    assert run().trials["learning_rate"].null_count == 7
    assert run().params["learning_rate"] == MODELS.learning_rate


@pytest.mark.parametrize("objective", ["binary", "tweedie", "gamma", "regression"])
def test_trees_on_binned_rows_are_those_of_a_plain_fit(objective):
    X, y, *_ = data("conversion" if objective == "binary" else "value")
    params = {"learning_rate": 0.1, "num_leaves": 7, "min_child_samples": 20, "feature_fraction": 0.5}
    ground = Ground.of(X[:600], X[600:], NAMES, 7)
    for rounds in (5, 12):  # the same rows serve one booster after the other
        seen = []
        grower = ground.grower(
            y[:600],
            objective=objective,
            params=params,
            loss=lambda p, seen=seen: seen.append(p.copy()) or 0.5,
        )
        grower.grow(rounds)
        plain = Booster.fit(
            X[:600], y[:600], objective=objective, names=NAMES, params=params, rounds=rounds, seed=7
        )
        assert grower.booster.predict(X, raw_score=True).tobytes() == plain.margin(X).tobytes()
        scale = {"binary": expit, "regression": np.asarray}.get(objective, np.exp)
        np.testing.assert_allclose(seen[-1], scale(plain.margin(X[600:])), rtol=1e-12)
        assert len(seen) == len(grower.curve) == rounds


def test_losses_are_those_of_scikit_learn():
    rng = np.random.default_rng(4)
    y, p = (rng.random(200) < 0.3).astype(float), rng.random(200)
    assert log_loss(y, p) == pytest.approx(sklearn.metrics.log_loss(y, p))
    assert np.isfinite(log_loss(np.array([1.0, 0.0]), np.array([0.0, 1.0])))


def test_folds_beside_each_other_or_in_turn_are_the_same(monkeypatch):
    beside = run()
    monkeypatch.setattr("hva_ml.training.booster.SMALL_CELLS", 10)
    assert without_time(run()).equals(without_time(beside))


THREADS = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
sys.path.insert(0, sys.argv[1])
from test_search import NAMES, Ground, data
from hva_ml.training.booster import hush
X, y, *_ = data("conversion", 6000)
grower = Ground.of(X[:5000], X[5000:], NAMES, 7).grower(y[:5000], objective="binary", params={}, loss=len)
before = len(os.listdir("/proc/self/task"))
def grown():
    grower.grow(3)
    return len(os.listdir("/proc/self/task")) - before
with ThreadPoolExecutor(1, initializer=hush) as pool:
    print(grower.alone, pool.submit(grown).result())
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_boosters_that_grow_beside_each_other_keep_to_one_thread():
    told = subprocess.run(
        [sys.executable, "-c", THREADS, str(Path(__file__).parent)],
        env={**os.environ, "OMP_NUM_THREADS": "4"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.split() == ["True", "1"]


def test_trials_of_another_process_are_seen_at_the_next_look(tmp_path, monkeypatch):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"

    def trial(ordinal):
        kept = {"kept": asdict(Kept(ordinal, 0.5, 3, 4, 0.1))}
        return optuna.trial.create_trial(state=TrialState.COMPLETE, value=0.5, user_attrs=kept)

    with opened(storage, "s") as ours, opened(storage, "s") as theirs:
        assert ours.finished() == {}
        theirs.add(trial(0))
        monkeypatch.setattr("hva_ml.training.search.store.LOOK_SECONDS", 1e9)
        assert set(ours.add(trial(1))) == set()
        monkeypatch.setattr("hva_ml.training.search.store.LOOK_SECONDS", 0.0)
        found = ours.add(trial(2))
        assert set(found) == {0, 1, 2}
        assert Kept.of(found[0]) == Kept(0, 0.5, 3, 4, 0.1)


def test_another_study_name_starts_anew(tmp_path):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    run(storage=storage, config=settings.Search(trials=2))
    assert run(storage=storage, config=settings.Search(trials=2), study_name="other").ran == 2


def test_logging_of_the_library_is_left_as_found():
    before = optuna.logging.get_verbosity()
    run(config=settings.Search(trials=1))
    assert optuna.logging.get_verbosity() == before


def test_memory_is_left_as_found():
    held = []
    run(config=settings.Search(trials=1), progress=lambda *_: held.append(gc.get_freeze_count()))
    assert held[0] > 0 == gc.get_freeze_count()
    gc.freeze()
    try:
        run(config=settings.Search(trials=1))
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_errors_name_what_to_change(tmp_path):
    with pytest.raises(ConfigError, match="num_leaves") as caught:
        run(config=settings.Search(num_leaves=(20, 10)))
    assert "[search] num_leaves" in caught.value.where
    with pytest.raises(ConfigError, match="feature_fraction"):
        run(config=settings.Search(feature_fraction=(0.5, 1.5)))
    with pytest.raises(ConfigError, match="family"):
        run("value", models=settings.Models(value=()))
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        run(storage=f"sqlite:///{tmp_path / 'absent' / 'optuna.db'}")
    (tmp_path / "broken.db").write_text("no database " * 1000)
    with pytest.raises(WorkspaceError):
        run(storage=f"sqlite:///{tmp_path / 'broken.db'}")
    X, y, groups, codes = data("conversion")
    with pytest.raises(NotEnoughDataError):
        search(
            "conversion", X, np.zeros_like(y), groups, codes,
            config=QUICK, models=MODELS, names=NAMES, storage=None, study_name="s",
        )  # fmt: skip


def test_relative_deviance_ignores_the_level_and_rewards_order():
    rng = np.random.default_rng(2)
    truth = np.exp(rng.normal(size=500))
    actual = truth * rng.gamma(2, 0.5, 500)
    good, bad = relative_deviance(actual, truth), relative_deviance(actual, 1 / truth)
    assert good < 0.8 < 1 < bad
    assert relative_deviance(actual, truth * 7) == pytest.approx(good)
    assert relative_deviance(actual * 100, truth) == pytest.approx(good)
    assert relative_deviance(actual, np.full(500, 3.0)) == pytest.approx(1)
    levelled = truth * actual.sum() / truth.sum()
    assert good == pytest.approx(
        mean_tweedie_deviance(actual, levelled, power=1.5)
        / mean_tweedie_deviance(actual, np.full(500, actual.mean()), power=1.5)
    )
    assert relative_deviance(np.full(9, 5.0), np.full(9, 5.0)) == pytest.approx(1)
