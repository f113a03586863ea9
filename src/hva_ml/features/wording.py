"""The German and English words of features: what a seller would say aloud, without the window."""

from collections.abc import Mapping

from hva_ml.config import Label

IN_GROUP = (" im Konzern", " in the whole group")

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

_SINCE_FIRST: dict[str, tuple[str, str]] = {
    "accounts": ("Tage seit der ersten Fassung der Stammdaten", "days since the first master data"),
    "contacts": ("Tage seit dem ersten Ansprechpartner", "days since the first contact"),
    "events": ("Tage seit der ersten Aktivität", "days since the first activity"),
    "deal_stages": (
        "Tage seit der ersten Bewegung in Verkaufschancen",
        "days since the first deal stage change",
    ),
    "invoices": ("Tage seit der ersten Rechnung", "days since the first invoice"),
}

_SUMS: dict[tuple[str, str], tuple[str, str]] = {
    ("invoices", "amount"): ("Umsatz", "revenue"),
    ("deal_stages", "amount"): ("Volumen der Verkaufschancen", "deal volume"),
}
_SIZES: dict[tuple[str, str, str], tuple[str, str]] = {
    ("min", "invoices", "amount"): ("kleinster Rechnungsbetrag", "smallest invoice amount"),
    ("max", "invoices", "amount"): ("größter Rechnungsbetrag", "largest invoice amount"),
    ("std", "invoices", "amount"): ("Streuung der Rechnungsbeträge", "spread of invoice amounts"),
    ("mean", "invoices", "amount"): ("durchschnittlicher Rechnungsbetrag", "average invoice amount"),
    ("min", "deal_stages", "amount"): ("kleinster Wert der Verkaufschancen", "smallest deal amount"),
    ("max", "deal_stages", "amount"): ("größter Wert der Verkaufschancen", "largest deal amount"),
    ("std", "deal_stages", "amount"): ("Streuung der Werte der Verkaufschancen", "spread of deal amounts"),
    ("mean", "deal_stages", "amount"): (
        "durchschnittlicher Wert der Verkaufschancen",
        "average deal amount",
    ),
}
_PLAIN_SIZES: dict[str, tuple[str, str]] = {
    "min": ("kleinster Wert", "smallest value"),
    "max": ("größter Wert", "largest value"),
    "std": ("Streuung", "spread"),
    "mean": ("Durchschnitt", "average"),
}
_PACES: dict[str, tuple[str, str]] = {
    "active_days": ("aktive Tage", "active days"),
    "gap_mean": ("üblicher Abstand zwischen aktiven Tagen", "usual gap between active days"),
    "gap_max": ("längster Abstand zwischen aktiven Tagen", "longest gap between active days"),
    "gap_std": ("Streuung der Abstände zwischen aktiven Tagen", "spread of the gaps between active days"),
    "streak": ("aktive Wochen in Folge bis zuletzt", "active weeks in a row until now"),
    "streak_max": ("aktive Wochen in Folge", "active weeks in a row"),
}
_DISTINCT: dict[str, tuple[str, str]] = {
    "contact_id": ("aktive Ansprechpartner", "active contacts"),
    "deal_id": ("verschiedene Verkaufschancen", "different deals"),
    "invoice_id": ("verschiedene Rechnungen", "different invoices"),
    "event_type": ("verschiedene Arten von Aktivitäten", "different kinds of activity"),
}


def _size(measure: str, table: str, column: str, labels: Mapping[str, Label]) -> tuple[str, str]:
    de, en = _PLAIN_SIZES[measure]
    if column in labels:
        return f"{labels[column].de} ({de})", f"{labels[column].en} ({en})"
    plain = column.replace("_", " ")
    return _SIZES.get((measure, table, column), (f"{de} {plain}", f"{en} {plain}"))


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
    measure: str,
    table: str,
    column: str,
    things: tuple[str, str],
    split: bool,
    labels: Mapping[str, Label],
    *,
    of_group: bool = False,
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
    of_group : bool
        Whether it is measured of the whole group of companies.

    Examples
    --------
    >>> measured("surge", "events", "", ("Telefonate", "calls"), True, {})
    ('Telefonate gegenüber dem eigenen Durchschnitt', 'calls against their own average')
    >>> measured("distinct", "events", "contact_id", ("Telefonate", "calls"), True, {})
    ('aktive Ansprechpartner (Telefonate)', 'active contacts (calls)')
    >>> measured("trend", "events", "", ("Telefonate", "calls"), True, {}, of_group=True)
    ('Trend der Telefonate im Konzern', 'trend in calls in the whole group')
    """
    if of_group:
        things = _in_group(things)
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
    if measure in ("recency", "since_first"):
        words = (_SINCE if measure == "recency" else _SINCE_FIRST)[table]
    elif measure in _PACES:
        words = _PACES[measure]
    elif measure == "distinct":
        words = chosen(
            labels, (column,), *_DISTINCT.get(column, (f"verschiedene {plain}", f"different {plain}"))
        )
    elif measure == "sum":
        words = chosen(labels, (column,), *_SUMS.get((table, column), (f"Summe {plain}", f"total {plain}")))
    else:
        words = _size(measure, table, column, labels)
    if split:
        return f"{words[0]} ({de})", f"{words[1]} ({en})"
    return _in_group(words) if of_group else words


def _in_group(words: tuple[str, str]) -> tuple[str, str]:
    return f"{words[0]}{IN_GROUP[0]}", f"{words[1]}{IN_GROUP[1]}"
