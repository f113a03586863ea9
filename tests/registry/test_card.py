import dataclasses
import re

import pytest

from hva_ml.registry.card import card, plain
from hva_ml.registry.gates import GateResult

GATES = (
    GateResult("roc_auc", True, "ROC AUC", 0.81, "at least 0.5"),
    GateResult("total_ratio", False, "total | ratio", None, "between 0.7 and 1.4"),
)
METADATA = {
    "title": "Händler | <b>Süd</b>",
    "simulated": True,
    "sides": {
        side: {"cutoffs": days, "rows": 12000, "accounts": 3000, "converted": 400, "value": 1234567.0}
        for side, days in (("train", ["2024-01-01", "2024-02-01"]), ("test", ["2025-01-01"]))
    },
    "released_on": {"train": ["2024-01-01", "2024-12-01"], "calibrate": ["2025-01-01"]},
    "metrics": [
        {"model": "hva_ml", "metric": "roc_auc", "value": 0.81, "low": 0.79, "high": 0.83},
        {"model": "prevalence", "metric": "roc_auc", "value": 0.5, "low": 0.5, "high": 0.5},
        {"model": "hva_ml", "metric": "total_ratio", "value": 0.64, "low": None, "high": None},
        {"model": "prevalence", "metric": "total_ratio", "value": None, "low": None, "high": None},
    ],
    "findings": [{"severity": "warning", "code": "HVD007", "where": "invoices.amount", "what": "a|b"}],
    "calibration": {
        "kind": "platt",
        "offset": 0.421,
        "drift_per_quarter": 0.3,
        "level_sd": 0.55,
        "steps": [
            {"step": step, "promised": p, "rate": 0.3, "calibration_error": 0.1, "log_loss": 0.5, "brier": b}
            for step, p, b in (("model", 0.1, 0.23), ("calibrated", 0.15, 0.22), ("moved", 0.28, 0.19))
        ],
        "cohorts": [
            {"cutoff": "2025-01-01", "rows": 1200, "converted": 300, "rate": 0.25, "promised": 0.15},
        ],
    },
    "data": {"accounts": "ab" * 32},
    "versions": {"lightgbm": "4.7.0"},
}


@pytest.fixture
def told(bundle):
    return card(dataclasses.replace(bundle, metadata=METADATA), GATES, forced="Messe | Montag")


def test_it_tells_what_must_be_known(told, bundle):
    for words in (
        "simulated data", "within 90 days", "0.810 (0.790 to 0.830)", "prevalence", "0.640 times the value",
        "fitted again on all matured cohorts", "2024-01-01 to 2024-12-01", "Refused: judging natural persons",
        "HVD007", "does not hold",
        "base rate moved to where it stands | 0.280 | 0.300", "25.0%", "+0.421", "12,000", "1,234,567",
        "ab" * 32, "4.7.0",
    ):  # fmt: skip
        assert words in re.sub(r"\s+", " ", told), words
    assert "Reason given: Messe \\| Montag" in told


def test_tables_hold_whatever_the_words_are(told):
    blocks = re.findall(r"(?:^\|.*\|$\n?)+", told, flags=re.MULTILINE)
    assert len(blocks) == 7
    for block in blocks:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.strip().splitlines()}
        assert len(widths) == 1


def test_nothing_from_data_becomes_markup(told):
    assert "<b>" not in told
    assert "Händler \\| &lt;b&gt;Süd" in told


def test_a_bare_model_has_a_card_too(bundle):
    text = card(dataclasses.replace(bundle, metadata={}), ())
    assert "# toy" in text
    assert "Promoted although" not in text
    assert "None" not in text


def test_the_same_model_gives_the_same_card(bundle):
    changed = dataclasses.replace(bundle, metadata=METADATA)
    assert card(changed, GATES) == card(changed, GATES)
    assert dataclasses.replace(changed, metadata={**METADATA, "features": "cd"}).release not in card(
        changed, GATES
    )


@pytest.mark.parametrize("text", ["a|b", "a\nb", "`x`", "[l](u)", "# h\r\n| t |"])
def test_plain_text_stays_on_its_line(text):
    out = plain(text)
    assert "\n" not in out
    assert not re.search(r"(?<!\\)[|`\[\]]", out)
