"""Our contributions in shap's own object: its sums are our scores, and its plots draw it."""

import sys
from typing import Any

import numpy as np
import pytest

import hva_ml as hva
from hva_ml.errors import UsageError
from hva_ml.publication import read

PIPELINE = "dach_sample"
PARTS = {
    "expected_value": "expected_value", "likelihood": "conversion_probability", "value": "value_if_converted",
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_a_run_adds_up_to_the_published_scores(main_job: Any, part: str) -> None:
    found = hva.shap_values(main_job.ws, PIPELINE, part=part)
    scores = read(main_job.ws.scores(PIPELINE), "scores").sort_by("account_id")
    told = np.log(scores[PARTS[part]].to_numpy())
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base_values, told, atol=1e-9)
    assert len(set(found.feature_names)) == found.values.shape[1]
    assert not any("." in name for name in found.feature_names)


def test_one_account_is_its_row_of_the_run(main_job: Any) -> None:
    table = main_job.scores.table
    account = table["account_id"][3].as_py()
    whole = hva.shap_values(main_job.ws, PIPELINE)
    place = sorted(table["account_id"].to_pylist()).index(account)
    one = hva.explain(main_job.ws, PIPELINE, account).to_shap()
    np.testing.assert_array_equal(one.values, whole.values[place])
    np.testing.assert_array_equal(one.data, whole.data[place])
    assert list(one.display_data) == list(whole.display_data[place])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
def test_shap_draws_it(main_job: Any) -> None:
    whole = hva.shap_values(main_job.ws, PIPELINE, language="de")
    import shap
    from matplotlib import pyplot

    pyplot.switch_backend("Agg")
    shap.plots.waterfall(whole[0], show=False)
    drawn = " ".join(t.get_text() for t in pyplot.gcf().axes[0].get_yticklabels())
    assert any(name in drawn for name in whole.feature_names)
    pyplot.close("all")
    shap.plots.beeswarm(whole, show=False)
    assert pyplot.gcf().axes
    pyplot.close("all")


def test_without_shap_the_extra_is_named(main_job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(UsageError) as caught:
        hva.shap_values(main_job.ws, PIPELINE)
    assert "hva-ml[plots]" in str(caught.value.fix)


def test_an_unknown_part_is_named(main_job: Any) -> None:
    with pytest.raises(UsageError, match="no part 'margin'"):
        hva.shap_values(main_job.ws, PIPELINE, part="margin")
    account = main_job.scores.table["account_id"][0].as_py()
    with pytest.raises(UsageError, match="no part 'margin'"):
        hva.explain(main_job.ws, PIPELINE, account).to_shap("margin")
