"""Every word exists in both languages with the same parts, and templates use no word that does not exist."""

import re
from importlib.resources import files
from string import Formatter
from typing import get_args

import pytest

from hva_ml.errors import UsageError
from hva_ml.explanation.reader import NAMES, spoken_of
from hva_ml.jobs.retrained import Why
from hva_ml.monitoring.outlook import DIRECTIONS
from hva_ml.reports.information import TABLES
from hva_ml.reports.information_words import INFORMATION
from hva_ml.reports.language import WORDS, Tongue
from hva_ml.reports.monitoring_words import MONITORING
from hva_ml.reports.night_words import CHANGES
from hva_ml.reports.overview_charts import LEVELS
from hva_ml.reports.overview_words import OVERVIEW
from hva_ml.reports.words import ACCOUNT, CHARTS, FAMILIES, MODELS, SCORES

MONITORED = ("HVM0", "why_", "reason_", "metric_", "sum_", "score_", "part_", "limit_", "outcome_", "advice_")


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same_parts(key: str) -> None:
    german, english = (sorted({p for _, p, _, _ in Formatter().parse(text) if p}) for text in WORDS[key])
    assert german == english
    assert all(WORDS[key])


def test_no_key_stands_in_two_groups() -> None:
    assert len(WORDS) == sum(map(len, (CHARTS, ACCOUNT, SCORES, CHANGES, INFORMATION, OVERVIEW, MONITORING)))


def test_templates_and_words_fit() -> None:
    room = files("hva_ml.reports")
    used = set()
    for place in (room.joinpath("templates"), room):
        for file in place.iterdir():
            if file.name.endswith((".html", ".py")):
                found = re.findall(r'word\(\s*"(\w+)"(?: if [\w.]+ else "(\w+)")?', file.read_text("utf-8"))
                used |= {key for pair in found for key in pair if key}
    # Units of money axes are chosen by size, words on the comparison by its kind.
    kinds = {f"home_{k}" for k in NAMES} | {f"waterfall_title_{spoken_of(k)}" for k in NAMES}
    used.discard("home_")
    # Which colour a dot has, and why two models cannot be compared, is known when the page is made.
    levels = {f"level_{k}" for k in LEVELS}
    reasons = set(get_args(Why)) - {""}
    # What a finding of monitoring says follows from its code, outcome and reason.
    page = files("hva_ml.jobs").joinpath("monitoring_page.py").read_text("utf-8")
    page += room.joinpath("monitoring.py").read_text("utf-8")
    page += room.joinpath("templates", "monitoring.html").read_text("utf-8")
    findings = {k for k in MONITORING if k.startswith(MONITORED) or f'"{k}"' in page}
    findings |= {f"conversions_{direction}" for direction in DIRECTIONS}
    used.discard("outcome_")
    assert used | {"thousands", "millions"} | kinds | TABLES | levels | reasons | findings == set(WORDS)


def test_unknown_models_and_families_keep_their_names() -> None:
    tongue = Tongue("de")
    assert [tongue.model(m) for m in ("hva_ml", "my_rule")] == [MODELS["hva_ml"][0], "my_rule"]
    assert [tongue.family(f) for f in ("fit", "new")] == [FAMILIES["fit"][0], "new"]


@pytest.mark.parametrize(("language", "country"), [("fr", "FR"), ("de", "Österreich")])
def test_what_we_cannot_write_is_refused(language: str, country: str) -> None:
    with pytest.raises(UsageError):
        Tongue(language, country)  # type: ignore[arg-type]
