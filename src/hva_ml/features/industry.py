"""Industries: WZ 2008 / NACE Rev. 2 sections with their divisions and titles."""

import re
from dataclasses import dataclass

_CODE = re.compile(r"(?:[A-U]\s*)?(\d{1,2})(?:\.|$)|(?:[A-U]\s*)?(\d{2})\d{1,3}$")


@dataclass(frozen=True)
class Section:
    """One section of WZ 2008 / NACE Rev. 2.

    Attributes
    ----------
    letter : str
        ``A`` to ``U``.
    first, last : int
        Its divisions, both included; some numbers in between are not given.
    de, en : str
        Titles, shortened to what a seller would say.
    """

    letter: str
    first: int
    last: int
    de: str
    en: str


SECTIONS: tuple[Section, ...] = (
    Section("A", 1, 3, "Land- und Forstwirtschaft, Fischerei", "Agriculture, forestry and fishing"),
    Section("B", 5, 9, "Bergbau und Gewinnung von Steinen und Erden", "Mining and quarrying"),
    Section("C", 10, 33, "Verarbeitendes Gewerbe", "Manufacturing"),
    Section("D", 35, 35, "Energieversorgung", "Electricity, gas, steam and air conditioning supply"),
    Section("E", 36, 39, "Wasserversorgung und Entsorgung", "Water supply, sewerage and waste management"),
    Section("F", 41, 43, "Baugewerbe", "Construction"),
    Section("G", 45, 47, "Handel und Kfz-Reparatur", "Wholesale and retail trade, motor vehicle repair"),
    Section("H", 49, 53, "Verkehr und Lagerei", "Transportation and storage"),
    Section("I", 55, 56, "Gastgewerbe", "Accommodation and food service"),
    Section("J", 58, 63, "Information und Kommunikation", "Information and communication"),
    Section("K", 64, 66, "Finanz- und Versicherungsdienstleistungen", "Financial and insurance activities"),
    Section("L", 68, 68, "Grundstücks- und Wohnungswesen", "Real estate activities"),
    Section("M", 69, 75, "Freiberufliche, wissenschaftliche und technische Dienstleistungen",
            "Professional, scientific and technical activities"),
    Section("N", 77, 82, "Sonstige wirtschaftliche Dienstleistungen",
            "Administrative and support service activities"),
    Section("O", 84, 84, "Öffentliche Verwaltung, Verteidigung, Sozialversicherung",
            "Public administration, defence, social security"),
    Section("P", 85, 85, "Erziehung und Unterricht", "Education"),
    Section("Q", 86, 88, "Gesundheits- und Sozialwesen", "Human health and social work"),
    Section("R", 90, 93, "Kunst, Unterhaltung und Erholung", "Arts, entertainment and recreation"),
    Section("S", 94, 96, "Sonstige Dienstleistungen", "Other service activities"),
    Section("T", 97, 98, "Private Haushalte", "Activities of households"),
    Section("U", 99, 99, "Exterritoriale Organisationen und Körperschaften",
            "Extraterritorial organisations and bodies"),
)  # fmt: skip

_NOT_GIVEN = frozenset({34, 40, 44, 48, 54, 57, 67, 76, 83, 89})


def division(code: str) -> str | None:
    """Return the division (two digits) of a WZ 2008 or NACE Rev. 2 code, None if there is none.

    A leading section letter is ignored, a lost leading zero restored before a dot.

    Examples
    --------
    >>> [division(c) for c in ("28.41", "C28.41.0", "2841", "1.11", "C", "34.1")]
    ['28', '28', '28', '01', None, None]
    """
    found = _CODE.match(code.strip().upper())
    if not found:
        return None
    digits = (found[1] or found[2]).zfill(2)
    return digits if _section_of(int(digits)) else None


def section(code: str) -> str | None:
    """Return the section letter of a WZ 2008 or NACE Rev. 2 code, None if there is none.

    Examples
    --------
    >>> [section(c) for c in ("28.41", "01.1", "J", "99", "83")]
    ['C', 'A', 'J', 'U', None]
    """
    plain = code.strip().upper()
    if len(plain) == 1 and any(s.letter == plain for s in SECTIONS):
        return plain
    digits = division(plain)
    return _section_of(int(digits)) if digits else None


def title(letter: str, language: str) -> str:
    """Return a section's title in ``de`` or ``en``; the letter itself if it is no section.

    Examples
    --------
    >>> title("F", "de")
    'Baugewerbe'
    """
    for s in SECTIONS:
        if s.letter == letter:
            return s.de if language == "de" else s.en
    return letter


def _section_of(number: int) -> str | None:
    for s in SECTIONS:
        if s.first <= number <= s.last and number not in _NOT_GIVEN:
            return s.letter
    return None
