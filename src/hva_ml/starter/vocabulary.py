"""The words the simulated companies are made of: industries, legal forms, names; weights are plausible."""

from typing import NamedTuple


class Industry(NamedTuple):
    """One WZ 2008 code with its weight, its effect on fit and on order value, and a word for names."""

    code: str
    weight: float
    fit: float
    value: float
    revenue_per_head: float
    word: str


INDUSTRIES = (
    Industry("28.41", 7.0, 1.0, 0.5, 210e3, "Werkzeugmaschinen"),
    Industry("28.13", 4.0, 0.7, 0.3, 220e3, "Pumpen"),
    Industry("28.99", 7.0, 0.9, 0.4, 205e3, "Maschinenbau"),
    Industry("25.62", 10.0, 0.5, -0.1, 130e3, "Zerspanung"),
    Industry("25.73", 4.0, 0.6, 0.0, 140e3, "Präzisionswerkzeuge"),
    Industry("29.32", 5.0, 0.6, 0.8, 260e3, "Fahrzeugteile"),
    Industry("27.12", 5.0, 0.4, 0.2, 230e3, "Schaltanlagen"),
    Industry("26.51", 4.0, 0.3, 0.1, 200e3, "Messtechnik"),
    Industry("22.29", 6.0, 0.2, 0.1, 190e3, "Kunststofftechnik"),
    Industry("20.59", 3.0, -0.2, 0.5, 380e3, "Spezialchemie"),
    Industry("24.51", 2.0, 0.3, 0.6, 240e3, "Gießerei"),
    Industry("10.89", 4.0, -0.3, 0.2, 250e3, "Lebensmittel"),
    Industry("35.11", 2.0, -0.5, 0.7, 700e3, "Energie"),
    Industry("43.21", 8.0, -0.5, -0.5, 120e3, "Elektroinstallation"),
    Industry("41.20", 5.0, -0.7, -0.1, 220e3, "Hochbau"),
    Industry("46.69", 7.0, 0.1, 0.1, 450e3, "Maschinenhandel"),
    Industry("46.74", 4.0, -0.3, -0.2, 420e3, "Haustechnikhandel"),
    Industry("49.41", 5.0, -0.9, -0.4, 140e3, "Spedition"),
    Industry("62.01", 5.0, -0.6, -0.6, 120e3, "Software"),
    Industry("71.12", 6.0, -0.1, -0.4, 110e3, "Ingenieurbüro"),
    Industry("70.22", 3.0, -1.1, -0.8, 130e3, "Unternehmensberatung"),
    Industry("86.10", 2.0, -0.8, 0.3, 90e3, "Klinik"),
)

COUNTRIES = ("D", "A", "CH")
COUNTRY_WEIGHTS = (0.74, 0.13, 0.13)
COUNTRY_FIT = (0.0, 0.15, -0.3)

LEGAL_FORMS: tuple[tuple[tuple[str, float], ...], ...] = (
    (
        ("GmbH", 0.58), ("GmbH & Co. KG", 0.20), ("AG", 0.05), ("KG", 0.05), ("e.K.", 0.05),
        ("UG (haftungsbeschränkt)", 0.03), ("OHG", 0.03), ("SE", 0.01),
    ),
    (("GmbH", 0.70), ("GmbH & Co KG", 0.11), ("AG", 0.05), ("KG", 0.05), ("OG", 0.06), ("e.U.", 0.03)),
    (("AG", 0.55), ("GmbH", 0.38), ("Kollektivgesellschaft", 0.04), ("Einzelunternehmen", 0.03)),
)  # fmt: skip
"""By country, in the order of ``COUNTRIES``."""

ROMANDY = {"AG": "SA", "GmbH": "Sàrl"}
"""How a legal form is called where the Swiss postcode begins with 1 or 2."""

DE_ZONES = tuple(z for z in range(1, 100) if z not in {5, 11, 43, 62})
"""First two digits of German postcodes that are given to places."""

STEMS = (
    "Alvora", "Brimeta", "Corvanta", "Delmiro", "Eltuva", "Fendrila", "Grünavo", "Hovaria", "Ilmetra",
    "Jorvenda", "Köverna", "Lumitra", "Mövantis", "Norvela", "Olvemar", "Prästova", "Quelmira", "Ruvanto",
    "Sölvetra", "Tovarel", "Ulvessa", "Vantomir", "Wölmeda", "Xandrelo", "Yolmira", "Zentuli",
)  # fmt: skip
"""Invented words, some with umlauts; with the word Muster behind them nobody takes them for a company."""

JOB_FUNCTIONS = ("purchasing", "engineering", "production", "management", "it", "quality", "finance")
JOB_WEIGHTS = (0.26, 0.22, 0.20, 0.12, 0.08, 0.07, 0.05)
SENIORITIES = ("staff", "manager", "executive")
SENIORITY_WEIGHTS = (0.55, 0.33, 0.12)
