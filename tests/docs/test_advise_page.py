"""The page of advice: its example is a valid section, its figures are those of the code."""

from pathlib import Path
from types import ModuleType

from hva_ml import config
from hva_ml.explanation import counterfactual
from hva_ml.jobs import levers

GOOD = """
[pipeline]
name = "my"
title = "Mine"
currency = "EUR"
[tables.accounts]
sql = "accounts.sql"
[tables.invoices]
sql = "invoices.sql"
[cutoffs]
first = 2024-01-01
last = 2024-12-01
[horizon]
days = 90
[population]
table = "accounts"
[target]
table = "invoices"
[sources]
"""


def test_the_example_is_a_valid_section(docs: Path, extract: ModuleType) -> None:
    (example,) = extract.fenced((docs / "advise.md").read_text("utf-8"), "toml")
    read = config.parse(GOOD + example, "advise.md").explanation.actionable
    assert {"events.call.count_30d", "events.call.recency_days", "events.count_30d"} < set(read)


def test_the_figures_are_those_of_the_code(docs: Path) -> None:
    text = (docs / "advise.md").read_text("utf-8")
    least, share, most = counterfactual.SIMILAR
    assert f"nearest {share:.0%} (at least {least}, at most {most:,})".replace("%", " %") in text
    assert counterfactual.NEIGHBOURS == 5
    assert "At least five of them" in text
    assert f"{counterfactual.ENOUGH:.0%} of its best gain".replace("%", " %") in text
    assert f"more than {levers.MOST_COMPARED:,} accounts" in text
