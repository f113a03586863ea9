import numpy as np
import optuna
import pytest
from sklearn.metrics import mean_tweedie_deviance

from hva_ml import config as settings
from hva_ml.errors import ConfigError, NotEnoughDataError, WorkspaceError
from hva_ml.training.booster import Booster
from hva_ml.training.search import relative_deviance, search
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
    assert without_time(one).equals(without_time(two))
    assert (one.params, one.rounds, one.value) == (two.params, two.rounds, two.value)
    assert one.ran == one.trials.num_rows == 7
    assert set(one.trials["state"].to_pylist()) == {"complete"}
    assert one.value == min(one.trials["value"].to_pylist())
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
    assert seen[-1][2] == one.value
    two = run(storage=storage)
    assert (one.ran, two.ran) == (7, 0)
    assert one.trials.equals(two.trials)
    assert (one.params, one.rounds, one.value) == (two.params, two.rounds, two.value)
    assert without_time(run()).equals(without_time(one))
    fewer = run(storage=storage, config=settings.Search(trials=3))
    assert fewer.ran == 0
    assert without_time(fewer).equals(without_time(one).slice(0, 3))


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("kind", ["conversion", "value"])
def test_an_interrupted_search_ends_as_one_that_was_not(tmp_path, kind):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"

    def stop(done: int, total: int, best: float) -> None:
        if done == 5:
            raise StoppedError

    with pytest.raises(StoppedError):
        run(kind, storage=storage, progress=stop)
    # A process that was killed in the middle of a trial leaves it running.
    backend = optuna.storages.RDBStorage(storage)
    optuna.load_study(study_name="s", storage=backend).ask()
    backend.remove_session()
    backend.engine.dispose()
    resumed = run(kind, storage=storage)
    assert resumed.ran == 2
    assert without_time(resumed).equals(without_time(run(kind)))


def test_another_study_name_starts_anew(tmp_path):
    storage = f"sqlite:///{tmp_path / 'optuna.db'}"
    run(storage=storage, config=settings.Search(trials=2))
    assert run(storage=storage, config=settings.Search(trials=2), study_name="other").ran == 2


def test_logging_of_the_library_is_left_as_found():
    before = optuna.logging.get_verbosity()
    run(config=settings.Search(trials=1))
    assert optuna.logging.get_verbosity() == before


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
