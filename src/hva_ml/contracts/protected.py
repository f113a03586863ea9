"""What may never be a feature: personal characteristics, and the conduct of individual employees.

The first are protected (Art. 9 and 22 GDPR, AGG § 1); the second needs the works council (BetrVG
§ 87 (1) no. 6) and says more about the seller than about the account. What is no feature is never a reason.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Kind = Literal["personal", "employee"]

_WORDS = re.compile(r"[a-z0-9]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of a person, whatever stands beside them.
_PERSONAL = _words("""
    gender sex geschlecht salutation anrede religion religious religionszugehoerigkeit konfession
    glaube nationality nationalitaet staatsangehoerigkeit staatsbuergerschaft citizenship ethnicity
    ethnic ethnie ethnisch race herkunft birthday birthdate birthplace geburtstag geburtsdatum
    geburtsjahr geburtsort disability disabled behinderung health gesundheit krankheit illness
    sickness union gewerkschaft marital married familienstand verheiratet pregnancy pregnant
    schwangerschaft schwanger politics political partei
""")
# Of a person only where a person stands beside them: a company has an age, too.
_OF_SOMEBODY = _words("age alter birth geburt origin")
_SOMEBODY = _words("""
    contact contacts person personen people buyer ceo manager decider kontakt kontakte kontaktperson
    ansprechpartner ansprechpartnern ansprechpartners einkaeufer geschaeftsfuehrer entscheider
""")
_EMPLOYEE = _words("""
    salesrep salesperson seller rep reps verkaeufer verkaeufers vertriebler vertriebsmitarbeiter
    sachbearbeiter vertriebsmitarbeiters aussendienstler aussendienstmitarbeiter kundenbetreuer
    betreuer accountmanager
""")
_EMPLOYEE_PAIRS = frozenset(
    tuple(pair.split("_"))
    for pair in (
        "sales_rep", "sales_person", "sales_agent", "account_owner", "account_manager", "deal_owner",
        "owner_id", "owner_name", "user_id", "user_name", "employee_id", "employee_name",
        "mitarbeiter_id", "mitarbeiter_name", "created_by", "assigned_to", "handled_by", "modified_by",
        "agent_id", "agent_name",
    )
)  # fmt: skip
_ALONE = frozenset(("owner", "seller", "agent", "employee", "mitarbeiter", "username"))


@dataclass(frozen=True)
class Protected:
    """Why a name may not be a feature.

    Attributes
    ----------
    kind : str
        ``personal``: a characteristic of a person. ``employee``: who of our own people did it, or how well.
    word : str
        What gave it away.
    """

    kind: Kind
    word: str

    @property
    def why(self) -> str:
        """The reason, for an error."""
        if self.kind == "personal":
            return "A personal characteristic must not decide whom we call (Art. 9 and 22 GDPR; AGG § 1)."
        return (
            "It would watch the conduct or performance of single employees (BetrVG § 87 (1) no. 6), "
            "and blame the account for its seller."
        )


def protected(text: str, *, of_people: bool = False) -> Protected | None:
    """Say whether a column or label names something that may never be a feature.

    Parameters
    ----------
    text : str
        Name of a column, or words of a label.
    of_people : bool
        Whether it is told of persons, as every column of ``contacts`` is.

    Examples
    --------
    >>> protected("buyer_gender").kind, protected("Abschlussquote des Verkäufers").kind
    ('personal', 'employee')
    >>> protected("age_years") is None, protected("age", of_people=True).kind
    (True, 'personal')
    >>> protected("number of employees") is None, protected("union_members").word
    (True, 'union')
    """
    words = _WORDS.findall(text.lower().translate(_UMLAUTS))
    there = set(words)
    if found := sorted(there & _PERSONAL):
        return Protected("personal", found[0])
    if (of_people or there & _SOMEBODY) and (found := sorted(there & _OF_SOMEBODY)):
        return Protected("personal", found[0])
    if found := sorted(there & _EMPLOYEE):
        return Protected("employee", found[0])
    if named := sorted(set(pairwise(words)) & _EMPLOYEE_PAIRS):
        return Protected("employee", " ".join(named[0]))
    if len(words) == 1 and words[0] in _ALONE:
        return Protected("employee", words[0])
    return None
