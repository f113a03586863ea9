"""One short paragraph on an account: likelihood, value, comparison, what speaks for it and against it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hva_ml.config import NO_CURRENCY
from hva_ml.explanation.formats import Language, factor, money_short, percent
from hva_ml.explanation.grammar import cleaned, days
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.reasons import Reason

# What the expected value is compared with, by the key of `reader.REFERENCES`.
_AGAINST: dict[str, tuple[str, str]] = {
    "typical": ("gegenüber einem typischen Account", "against a typical account"),
    "threshold": ("gegenüber einem Account an der Grenze von A zu B", "against an account between A and B"),
    "won": ("gegenüber dem durchschnittlichen gewonnenen Account", "against the average won account"),
    "earlier": ("gegenüber demselben Account zuvor", "against the same account before"),
}
_NO_VALUE = ("Was ein Abschluss wert ist, ist nicht bekannt.", "What a win is worth is not known.")
_NOTHING = (
    "Kein einzelnes Merkmal hebt oder senkt diesen Wert merklich.",
    "No single feature raises or lowers this value notably.",
)


@dataclass(frozen=True)
class Facts:
    """The figures of a paragraph.

    Attributes
    ----------
    probability : float
        In [0, 1].
    value_if_converted, expected_value, reference_expected_value : float
        Currency units; the last one that of the account it is compared with.
    value_bounds : tuple of float or None
        Between what the value mostly comes out if such accounts convert, in currency units.
    """

    probability: float
    value_if_converted: float
    expected_value: float
    reference_expected_value: float
    value_bounds: tuple[float, float] | None = None


def paragraph(
    found: Sequence[Reason],
    *,
    probability: float,
    value_if_converted: float,
    expected_value: float,
    typical_expected_value: float,
    horizon_days: int,
    language: Language,
    country: str = "DE",
    currency: str = "EUR",
    reference: str = "typical",
    segment: str = "",
    leads: bool = False,
    value_bounds: tuple[float, float] | None = None,
) -> str:
    """Return the paragraph of one account.

    Parameters
    ----------
    found : sequence of Reason
        From `reasons`, in the same language.
    probability : float
        In [0, 1].
    value_if_converted, expected_value, typical_expected_value : float
        Currency units; the last one that of the reference account.
    horizon_days : int
        Horizon of both; 0 where a lead counts whenever it is decided.
    reference : str
        What the reference is, a key of `reader.REFERENCES`.
    segment : str
        Name of the segment whose reference it is; empty where all accounts share one.
    leads : bool
        Whether the account is a lead.
    value_bounds : tuple of float or None
        Between what the value mostly comes out if such accounts convert, in currency units.
    """
    reader = Reader(language, country, currency, reference, leads)
    facts = Facts(
        probability, value_if_converted, expected_value, typical_expected_value, value_bounds
    )  # fmt: skip
    ups = (r.text for r in found if r.direction == "up")
    downs = (r.text for r in found if r.direction == "down")
    return compose(facts, ups, downs, horizon_days, reader, segment)


def compose(
    facts: Facts,
    ups: Iterable[str],
    downs: Iterable[str],
    horizon_days: int,
    reader: Reader,
    segment: str = "",
) -> str:
    """Return the paragraph from its figures and finished sentences; see `paragraph`."""
    likely = likelihood(facts.probability, reader)
    worth, expected = (amount(v, reader) for v in (facts.value_if_converted, facts.expected_value))
    if facts.value_bounds is not None:
        low, high = (amount(v, reader) for v in facts.value_bounds)
        between = (f"meist zwischen {low} und {high}", f"mostly between {low} and {high}")
        worth += f" ({reader.pick(between)})"
    against = ""
    if facts.reference_expected_value > 0:
        times = facts.expected_value / facts.reference_expected_value
        written = factor(times, language=reader.language, country=reader.country)
        place = reader.pick(_AGAINST[reader.reference])
        if segment:
            place += reader.pick((" im Segment ", " in the segment ")) + cleaned(segment)
        against = f" ({written} {place})"
    if reader.currency == NO_CURRENCY:
        parts = [
            _chance(likely, horizon_days, reader, against),
            reader.pick(_NO_VALUE),
        ]
    elif reader.german:
        parts = [
            _chance(likely, horizon_days, reader),
            f"{'Er' if reader.leads else 'Der Account'} bringt dann etwa {worth}, der erwartete Wert ist "
            f"also {expected}{against}.",
        ]
    else:
        parts = [
            _chance(likely, horizon_days, reader),
            f"It then brings about {worth}, so the expected value is {expected}{against}.",
        ]
    up, down = "; ".join(ups), "; ".join(downs)
    parts += [f"{reader.pick(('Dafür spricht', 'For it'))}: {up}."] if up else []
    parts += [f"{reader.pick(('Dagegen spricht', 'Against it'))}: {down}."] if down else []
    if not up and not down:
        parts.append(reader.pick(_NOTHING))
    return " ".join(parts)


def _chance(likely: str, horizon_days: int, reader: Reader, against: str = "") -> str:
    """Return the sentence that says how likely it is, and by when."""
    unit = days(horizon_days, german=reader.german, dative=True)
    if reader.leads and not horizon_days:
        german, english = "Wird über ihn entschieden, kommt", "when it is decided"
    elif reader.leads:
        german = f"Innerhalb von {horizon_days} {unit} nach dem ersten Kontakt kommt"
        english = f"within {horizon_days} {unit} of its first contact"
    else:
        german = "Am nächsten Tag" if horizon_days == 1 else f"In den nächsten {horizon_days} {unit}"
        german += " kommt"
        english = f"within the next {unit if horizon_days == 1 else f'{horizon_days} {unit}'}"
    if reader.german:
        return f"{german} es mit {likely} Wahrscheinlichkeit zum Abschluss{against}."
    what = "lead is won" if reader.leads else "account converts"
    return f"The chance that this {what} {english} is {likely}{against}."


def likelihood(probability: float, reader: Reader) -> str:
    r"""Return a probability in words: never "0 %" for what may happen, nor "100 %" for what may not.

    Examples
    --------
    >>> reader = Reader("de", "DE", "EUR")
    >>> [likelihood(p, reader) for p in (0.00004, 0.034, 0.34, 0.9971)]
    ['unter 0,1\xa0%', '3,4\xa0%', '34\xa0%', 'über 99\xa0%']
    """
    spoken = reader.spoken
    if probability < 0.001:
        return f"{reader.pick(('unter', 'less than'))} {percent(0.001, decimals=1, **spoken)}"
    if probability >= 0.995:
        return f"{reader.pick(('über', 'more than'))} {percent(0.99, **spoken)}"
    return percent(probability, decimals=1 if probability < 0.1 else 0, **spoken)


def amount(value: float, reader: Reader) -> str:
    """Return an amount as a sentence tells it: cents only below 100, millions from a million on."""
    digits = 0 if abs(value) >= 100 or value == 0 else 2
    return money_short(
        value, reader.currency, decimals=digits, language=reader.language, country=reader.country
    )
