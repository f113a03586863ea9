"""The generated pages are those in the repository, and everything that needs explaining is explained."""

import dataclasses
import re
from pathlib import Path
from types import ModuleType

import pytest

from hva_ml import config
from hva_ml.contracts.tables import CONTRACT

GENERATED = ("data-dictionary.md", "pipelines.md", "checks.md")


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_what_the_generator_makes(name: str, docs: Path, reference: ModuleType) -> None:
    assert (docs / name).read_text("utf-8") == reference.PAGES[name](), "run make docs"


def test_every_generated_page_is_tested(reference: ModuleType) -> None:
    assert set(reference.PAGES) == set(GENERATED)


def test_every_section_of_a_pipeline_file_is_explained(reference: ModuleType) -> None:
    sections = {f.name for f in dataclasses.fields(config.PipelineConfig)}
    assert {name.split(".")[0] for name in reference.SECTIONS} == sections


def test_the_examples_together_are_a_valid_pipeline_file(docs: Path, extract: ModuleType) -> None:
    accounts, leads = (docs / "pipelines.md").read_text("utf-8").split("## `[leads]`")
    read = config.parse("\n".join(extract.fenced(accounts, "toml")), "pipelines.md")
    assert read.features.windows[0].table == "invoices"
    assert read.leads is None
    read = config.parse("\n".join(extract.fenced(leads, "toml")), "pipelines.md")
    assert read.leads is not None
    assert set(read.leads.features) == {"channel", "employees", "urgency"}


def test_every_column_of_every_table_is_in_the_dictionary(docs: Path) -> None:
    page = (docs / "data-dictionary.md").read_text("utf-8")
    for contract in CONTRACT.values():
        section = page.split(f"## {contract.name}\n")[1].split("\n## ")[0]
        for column in contract.columns:
            assert f"| `{column.name}` | `{column.kind}` |" in section
            assert column.meaning.replace("|", "\\|") in section


def test_every_code_that_the_house_can_report_has_its_paragraph(docs: Path) -> None:
    source = docs.parent / "src" / "hva_ml"
    used = {c for p in source.rglob("*.py") for c in re.findall(r'"(HV[A-Z]\d{3})"', p.read_text("utf-8"))}
    explained = set(
        re.findall(r"^### (HV[A-Z]\d{3}): \S", (docs / "checks.md").read_text("utf-8"), re.MULTILINE)
    )
    assert used == explained


@pytest.mark.parametrize(
    "page", ["concepts.md", "bring-your-own-data.md", "engines.md", "leads.md", "leakage.md", *GENERATED]
)
def test_links_between_pages_lead_somewhere(page: str, docs: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", (docs / page).read_text("utf-8")):
        assert (docs / target.split("#")[0]).is_file(), target


def test_concepts_name_the_defaults_of_the_code(docs: Path) -> None:
    text = (docs / "concepts.md").read_text("utf-8")
    assert config.Scoring().tier_a == 0.5
    assert f"{config.Scoring().tier_b:.0%}".replace("%", " %") in text
    for baseline in config.Gates().beat_baselines:
        assert f"`{baseline}`" in text
