"""The German and English words of features: what a seller would say aloud, without the window."""

from collections.abc import Mapping

from hva_ml.config import Label

_THINGS: dict[str, tuple[str, str]] = {
    "accounts": ("Änderungen der Stammdaten", "master data changes"),
    "contacts": ("Ansprechpartner", "contacts"),
    "events": ("Aktivitäten", "activities"),
    "deal_stages": ("Schritte in Verkaufschancen", "deal stage changes"),
    "invoices": ("Rechnungen", "invoices"),
    "web_visit": ("Website-Besuche", "web visits"),
    "website_visit": ("Website-Besuche", "web visits"),
    "pricing_visit": ("Besuche der Preisseite", "pricing page visits"),
    "email_open": ("geöffnete E-Mails", "opened e-mails"),
    "email_click": ("Klicks in E-Mails", "e-mail clicks"),
    "email_reply": ("Antworten auf E-Mails", "e-mail replies"),
    "call": ("Telefonate", "calls"),
    "meeting": ("Termine", "meetings"),
    "demo": ("Produktvorführungen", "product demos"),
    "demo_request": ("Demo-Anfragen", "demo requests"),
    "quote_request": ("Angebotsanfragen", "quote requests"),
    "contact_form": ("Kontaktanfragen", "contact requests"),
    "download": ("Downloads", "downloads"),
    "webinar": ("Webinar-Teilnahmen", "webinar attendances"),
    "event": ("Veranstaltungsbesuche", "event attendances"),
    "event_visit": ("Veranstaltungsbesuche", "event attendances"),
    "trade_fair": ("Messebesuche", "trade fair visits"),
    "order": ("Bestellungen", "orders"),
    "support_ticket": ("Support-Anfragen", "support tickets"),
    "won": ("gewonnene Verkaufschancen", "won deals"),
    "lost": ("verlorene Verkaufschancen", "lost deals"),
}

_SINCE: dict[str, tuple[str, str]] = {
    "accounts": ("Tage seit der letzten Stammdatenänderung", "days since the last master data change"),
    "contacts": ("Tage seit dem letzten neuen Ansprechpartner", "days since the last new contact"),
    "events": ("Tage seit der letzten Aktivität", "days since the last activity"),
    "deal_stages": (
        "Tage seit der letzten Bewegung in Verkaufschancen",
        "days since the last deal stage change",
    ),
    "invoices": ("Tage seit der letzten Rechnung", "days since the last invoice"),
}

_SUMS: dict[tuple[str, str], tuple[str, str]] = {
    ("invoices", "amount"): ("Umsatz", "revenue"),
    ("deal_stages", "amount"): ("Volumen der Verkaufschancen", "deal volume"),
}
_MEANS: dict[tuple[str, str], tuple[str, str]] = {
    ("invoices", "amount"): ("durchschnittlicher Rechnungsbetrag", "average invoice amount"),
    ("deal_stages", "amount"): ("durchschnittlicher Wert der Verkaufschancen", "average deal amount"),
}
_DISTINCT: dict[str, tuple[str, str]] = {
    "contact_id": ("aktive Ansprechpartner", "active contacts"),
    "deal_id": ("verschiedene Verkaufschancen", "different deals"),
    "invoice_id": ("verschiedene Rechnungen", "different invoices"),
    "event_type": ("verschiedene Arten von Aktivitäten", "different kinds of activity"),
}


def chosen(labels: Mapping[str, Label], names: tuple[str, ...], de: str, en: str) -> tuple[str, str]:
    """Return the user's own wording for the first of `names` that has one, else the standard wording."""
    for name in names:
        if name in labels:
            return labels[name].de, labels[name].en
    return de, en


def thing(table: str, values: tuple[str, ...], labels: Mapping[str, Label]) -> tuple[str, str]:
    """Return what is counted, in the plural: the categories if there are any, else the rows of the table.

    Examples
    --------
    >>> thing("events", ("web_visit", "call"), {})
    ('Website-Besuche und Telefonate', 'web visits and calls')
    """
    words = [
        chosen(labels, (value,), *_THINGS.get(value, (value.replace("_", " "),) * 2))
        for value in values or (table,)
    ]
    return _joined([w[0] for w in words], "und"), _joined([w[1] for w in words], "and")


def _joined(words: list[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _of(noun: str, plural: str) -> str:
    return f"{noun} der {plural}" if plural[:1].isupper() else f"{noun}: {plural}"


def measured(
    measure: str, table: str, column: str, things: tuple[str, str], split: bool, labels: Mapping[str, Label]
) -> tuple[str, str]:
    """Return the words of a measure.

    The phrases are built so that any German plural fits in without inflection.

    Parameters
    ----------
    measure : str
        One of config.Measure.
    table, column : str
        Contract table; measured column, empty where the rows themselves are counted.
    things : tuple of str
        What is counted, see `thing`.
    split : bool
        Whether `things` are certain categories and not all rows of the table.
    labels : mapping of str to Label
        The user's own words, by column.

    Examples
    --------
    >>> measured("surge", "events", "", ("Telefonate", "calls"), True, {})
    ('Telefonate gegenüber dem eigenen Durchschnitt', 'calls against their own average')
    >>> measured("distinct", "events", "contact_id", ("Telefonate", "calls"), True, {})
    ('aktive Ansprechpartner (Telefonate)', 'active contacts (calls)')
    """
    de, en = things
    plain = column.replace("_", " ")
    if measure == "count":
        return de, en
    if measure == "trend":
        return _of("Trend", de), f"trend in {en}"
    if measure == "surge":
        return f"{de} gegenüber dem eigenen Durchschnitt", f"{en} against their own average"
    if measure == "share":
        return _of("Anteil", de), f"share of {en}"
    if measure == "recency":
        words = _SINCE[table]
    elif measure == "active_days":
        words = ("aktive Tage", "active days")
    elif measure == "distinct":
        words = chosen(
            labels, (column,), *_DISTINCT.get(column, (f"verschiedene {plain}", f"different {plain}"))
        )
    elif measure == "sum":
        words = chosen(labels, (column,), *_SUMS.get((table, column), (f"Summe {plain}", f"total {plain}")))
    elif column in labels:
        words = (f"{labels[column].de} (Durchschnitt)", f"{labels[column].en} (average)")
    else:
        words = _MEANS.get((table, column), (f"Durchschnitt {plain}", f"average {plain}"))
    return (f"{words[0]} ({de})", f"{words[1]} ({en})") if split else words
