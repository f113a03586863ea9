"""Personal characteristics and the conduct of single employees are refused where they are declared."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hva_ml as hva
from hva_ml.config import Features, Label, Windows
from hva_ml.contracts.protected import protected
from hva_ml.errors import ConfigError
from hva_ml.features import permitted
from hva_ml.features.definition import FeatureDefinition

PERSONAL = ["gender", "Geschlecht", "contact_age", "religion", "Nationalität der Kontakte", "geburtsdatum",
            "Alter des Ansprechpartners", "buyer_birthdate", "union_member", "Anrede", "CEO age"]  # fmt: skip
EMPLOYEE = ["sales_rep", "owner", "owner_id", "Abschlussquote des Verkäufers", "win rate per sales rep",
            "created_by", "account_owner", "Kundenbetreuer", "assigned_to", "user_id"]  # fmt: skip
FINE = ["employees", "age_years", "company_age", "Alter des Unternehmens", "number of employees",
        "contact_id", "event_type", "business_type", "days since the last contact", "Mitarbeiterzahl",
        "owner_managed", "Umsatz je Mitarbeiter", "seniority", "active contacts", "industry"]  # fmt: skip


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Any:
    ws, _ = hva.init(tmp_path_factory.mktemp("permitted"))
    return ws.config("dach_sample")


@pytest.mark.parametrize("text", PERSONAL)
def test_personal_characteristics(text: str) -> None:
    found = protected(text)
    assert found is not None
    assert found.kind == "personal"


@pytest.mark.parametrize("text", EMPLOYEE)
def test_the_conduct_of_employees(text: str) -> None:
    found = protected(text)
    assert found is not None
    assert found.kind == "employee"
    assert "BetrVG" in found.why


@pytest.mark.parametrize("text", FINE)
def test_what_speaks_of_companies_is_permitted(text: str) -> None:
    assert protected(text) is None


@given(st.sampled_from(PERSONAL + EMPLOYEE), st.sampled_from(["  ", "-", " / "]))
def test_spelling_does_not_help(text: str, gap: str) -> None:
    assert protected(text.upper().replace(" ", gap)) is not None


def test_age_is_personal_only_of_people(config: Any) -> None:
    assert protected("age") is None
    of = Features(windows=(Windows("contacts", ("mean",), (30,), of=("age",)),))
    with pytest.raises(ConfigError, match="may not be a feature"):
        permitted.check_declared(replace(config, features=of))


@pytest.mark.parametrize(
    "features",
    [
        Features(columns=("gender",)),
        Features(labels={"x": Label("Alter des Ansprechpartners", "x")}),
        Features(windows=(Windows("events", ("distinct",), (30,), of=("sales_rep",)),)),
        Features(windows=(Windows("events", ("count",), (30,), by="owner", values=("Anna",)),)),
        Features(windows=(Windows("events", ("count",), (30,), where={"created_by": ("Anna",)}),)),
        Features(windows=(Windows("events", ("count",), (30,), labels={"x": Label("x", "per sales rep")}),)),
    ],
)  # fmt: skip
def test_every_way_of_declaring_is_closed(config: Any, features: Features) -> None:
    permitted.check_declared(config)
    with pytest.raises(ConfigError, match="may not be a feature") as error:
        permitted.check_declared(replace(config, features=features))
    assert "Remove it" in error.value.fix


def test_features_written_in_python_are_held_to_it_too() -> None:
    made = FeatureDefinition(
        "own.x", "engagement", "number", "events", "own", "number", "Anrede", "salutation"
    )
    with pytest.raises(ConfigError, match=r"own\.x"):
        permitted.check_made([made])
