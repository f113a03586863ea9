"""The singular of what is counted: "1 Website-Besuch", not "1 Website-Besuche".

The pipeline author's own labels give theirs (`de_one`, `en_one`); the standard words have theirs here. What
has no singular is told as "Website-Besuche: 1", which is right in any language.
"""

from collections.abc import Iterable
from dataclasses import replace

from hva_ml.config import Features, Label
from hva_ml.features.definition import FeatureDefinition
from hva_ml.features.wording import IN_GROUP

DE: dict[str, str] = {
    "Änderungen der Stammdaten": "Änderung der Stammdaten",
    "Ansprechpartner": "Ansprechpartner",
    "Aktivitäten": "Aktivität",
    "Schritte in Verkaufschancen": "Schritt in Verkaufschancen",
    "Rechnungen": "Rechnung",
    "Website-Besuche": "Website-Besuch",
    "Besuche der Preisseite": "Besuch der Preisseite",
    "geöffnete E-Mails": "geöffnete E-Mail",
    "Klicks in E-Mails": "Klick in E-Mails",
    "Antworten auf E-Mails": "Antwort auf E-Mails",
    "Telefonate": "Telefonat",
    "Termine": "Termin",
    "Produktvorführungen": "Produktvorführung",
    "Demo-Anfragen": "Demo-Anfrage",
    "Angebotsanfragen": "Angebotsanfrage",
    "Kontaktanfragen": "Kontaktanfrage",
    "Downloads": "Download",
    "heruntergeladene Whitepaper": "heruntergeladenes Whitepaper",
    "Webinar-Teilnahmen": "Webinar-Teilnahme",
    "Veranstaltungsbesuche": "Veranstaltungsbesuch",
    "Messebesuche": "Messebesuch",
    "Bestellungen": "Bestellung",
    "Support-Anfragen": "Support-Anfrage",
    "gewonnene Verkaufschancen": "gewonnene Verkaufschance",
    "verlorene Verkaufschancen": "verlorene Verkaufschance",
    "offene Verkaufschancen": "offene Verkaufschance",
    "überfällige Verkaufschancen": "überfällige Verkaufschance",
    "Verschiebungen offener Verkaufschancen": "Verschiebung offener Verkaufschancen",
    "Käufe": "Kauf",
    "Tochtergesellschaften": "Tochtergesellschaft",
    "aktive Tage": "aktiver Tag",
    "aktive Wochen in Folge": "aktive Woche",
    "aktive Wochen in Folge bis zuletzt": "aktive Woche bis zuletzt",
    "aktive Ansprechpartner": "aktiver Ansprechpartner",
    "verschiedene Verkaufschancen": "Verkaufschance",
    "verschiedene Rechnungen": "Rechnung",
    "verschiedene Arten von Aktivitäten": "Art von Aktivität",
}
EN: dict[str, str] = {
    "master data changes": "master data change",
    "contacts": "contact",
    "activities": "activity",
    "deal stage changes": "deal stage change",
    "invoices": "invoice",
    "web visits": "web visit",
    "pricing page visits": "pricing page visit",
    "opened e-mails": "opened e-mail",
    "e-mail clicks": "e-mail click",
    "e-mail replies": "e-mail reply",
    "calls": "call",
    "meetings": "meeting",
    "product demos": "product demo",
    "demo requests": "demo request",
    "quote requests": "quote request",
    "contact requests": "contact request",
    "downloads": "download",
    "white paper downloads": "white paper download",
    "webinar attendances": "webinar attendance",
    "event attendances": "event attendance",
    "trade fair visits": "trade fair visit",
    "orders": "order",
    "support tickets": "support ticket",
    "won deals": "won deal",
    "lost deals": "lost deal",
    "open deals": "open deal",
    "overdue deals": "overdue deal",
    "postponements of open deals": "postponement of open deals",
    "purchases": "purchase",
    "subsidiaries": "subsidiary",
    "active days": "active day",
    "active weeks in a row": "active week",
    "active weeks in a row until now": "active week until now",
    "active contacts": "active contact",
    "different deals": "deal",
    "different invoices": "invoice",
    "different kinds of activity": "kind of activity",
}


def with_singular(definition: FeatureDefinition, features: Features) -> FeatureDefinition:
    """Return a definition that knows the singular of what it counts, where anybody knows it.

    Parameters
    ----------
    definition : FeatureDefinition
        Only those of unit ``count`` are changed, and only where they have no singular yet.
    features : Features
        For the author's own labels, which come before the standard words.
    """
    if definition.unit != "count":
        return definition
    own = list(_labels(features))
    de = {**DE, **{label.de: label.de_one for label in own if label.de_one}}
    en = {**EN, **{label.en: label.en_one for label in own if label.en_one}}
    return replace(
        definition,
        one_de=definition.one_de or one(definition.label_de, de),
        one_en=definition.one_en or one(definition.label_en, en),
    )


def one(plural: str, known: dict[str, str]) -> str:
    """Return the singular of a phrase, empty where it is not known; what stands in brackets stays.

    Examples
    --------
    >>> one("aktive Ansprechpartner (Telefonate)", DE), one("aktive Yaks", DE)
    ('aktiver Ansprechpartner (Telefonate)', '')
    >>> one("web visits in the whole group", EN)
    'web visit in the whole group'
    """
    for tail in IN_GROUP:
        if plural.endswith(tail):
            found = one(plural.removesuffix(tail), known)
            return f"{found}{tail}" if found else ""
    head, bracket, rest = plural.partition(" (")
    found = known.get(plural) or known.get(head, "")
    return found if plural in known or not found else f"{found}{bracket}{rest}"


def _labels(features: Features) -> Iterable[Label]:
    yield from features.labels.values()
    for windows in features.windows:
        yield from windows.labels.values()
