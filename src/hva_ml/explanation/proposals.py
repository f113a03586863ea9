"""What would help, in words: what goes with a higher expected value, never that it brings one about."""

from collections.abc import Mapping

from hva_ml.explanation.counterfactual import Advice, Moved
from hva_ml.explanation.formats import factor, money_short, number
from hva_ml.explanation.phrases import say
from hva_ml.explanation.reader import Reader
from hva_ml.explanation.reasons import plain
from hva_ml.features.definition import FeatureDefinition

_NOTE = (
    "Das ist ein Zusammenhang, den die Modelle an vergangenen Accounts gelernt haben, kein Versprechen: Ob "
    "der Wert steigt, wenn Ihr Team es tut, zeigt nur ein Versuch.",
    "This is an association that the models have learned from past accounts, not a promise: only a trial "
    "shows whether the value rises if your team does it.",
)
_NOTHING = (
    "Keine der erlaubten Änderungen geht bei Accounts wie diesem mit einem merklich höheren erwarteten Wert "
    "einher.",
    "None of the changes allowed goes with a notably higher expected value for accounts like this one.",
)
_MORE_DIGITS = 4


def sentence(
    advice: Advice, definitions: Mapping[str, FeatureDefinition], present: float, reader: Reader
) -> str:
    """Return one proposal: what is proposed, what there is now, and what goes with it.

    Only what moves on its own is named; longer windows and the whole follow from it.

    Parameters
    ----------
    advice : Advice
        From `counterfactual.advise`.
    definitions : mapping of str to FeatureDefinition
        By name.
    present : float
        The account's expected value, currency units.
    reader : Reader
        Its reference must be ``now``.
    """
    clauses = [_clause(m, definitions[m.feature], reader) for m in advice.changes if m.leading]
    both = reader.pick(("Beides zusammen", "Both together"))
    what = clauses[0] if len(clauses) == 1 else f"{both} ({'; '.join(clauses)})"
    proposed, now = _amounts(advice.expected_value, present, reader)
    times = factor(advice.factor, **reader.spoken)
    near = number(advice.neighbours, **reader.spoken)
    if reader.german:
        goes = f"Damit geht ein erwarteter Wert von {proposed} einher statt {now} ({times})"
        return f"{what}: {goes}; {near} ähnliche Accounts haben etwa diese Werte."
    goes = f"this goes with an expected value of {proposed} instead of {now} ({times})"
    return f"{what}: {goes}; {near} similar accounts have about these figures."


def note(reader: Reader) -> str:
    """Return what stands beside every proposal: an association, not a promise."""
    return reader.pick(_NOTE)


def nothing(reader: Reader) -> str:
    """Return what is said where nothing would help."""
    return reader.pick(_NOTHING)


def _clause(moved: Moved, definition: FeatureDefinition, reader: Reader) -> str:
    return say(definition, plain(moved.proposed), plain(moved.now), reader).text


def _amounts(proposed: float, now: float, reader: Reader) -> tuple[str, str]:
    """Write both amounts with as many digits as it takes to tell them apart."""
    cents = 2 if max(abs(proposed), abs(now)) < 100 else 0
    for more in range(_MORE_DIGITS):
        told = [
            money_short(v, reader.currency, decimals=cents + more, **reader.spoken) for v in (proposed, now)
        ]
        if told[0] != told[1]:
            break
    return told[0], told[1]
