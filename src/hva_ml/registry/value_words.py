"""How the values of a release came about, in sentences for the card and the report of a run."""

from collections.abc import Mapping
from math import exp
from typing import Any


def value_sentences(told: Mapping[str, Any], currency: str) -> tuple[str, ...]:
    """Return sentences on approach, tail, level, outlook, bounds, and the accounts of highest value.

    Parameters
    ----------
    told : mapping
        The key ``value`` of a release's metadata; empty for releases of before.
    currency : str
        ISO 4217 code.

    Examples
    --------
    >>> value_sentences({"approach": "hurdle", "level": 0.0953}, "EUR")[1]
    'The total of the calibration cohorts moved all values by a factor of 1.10.'
    """
    if not told:
        return ()
    found = [_approach(told)]
    if rate := run_rate_sentence(told):
        found.append(rate)
    if told.get("tail"):
        found.append(_tail(told["tail"], currency))
    if told.get("of") != "leads":
        found.append(
            f"The total of the calibration cohorts moved all values by a factor of {exp(told['level']):.2f}."
        )
    if told.get("outlook"):
        found.append(_outlook(told["outlook"]))
    if told.get("bounds"):
        found.append(_bounds(told["bounds"], of_leads=told.get("of") == "leads"))
    if told.get("high_value"):
        found.append(_high_value(told["high_value"]))
    return tuple(found)


def _approach(told: Mapping[str, Any]) -> str:
    words = {
        "hurdle": "The expected value is likelihood times value if converted, each learned by itself.",
        "direct": "The expected value is learned at once from all rows; the value if converted is what is "
        "left when it is divided by the likelihood.",
    }[told["approach"]]
    compared = told.get("compared")
    if not compared:
        return words
    product, once, gain, error = (compared[k] for k in ("hurdle", "direct", "gain", "error"))
    return (
        f"{words} On held-out accounts the relative deviance of the expected value was {product:.3f} as a "
        f"product and {once:.3f} at once: better at once by {gain:.3f} ± {error:.3f}; that is taken if it is "
        "more than one standard error."
    )


def _bounds(bounds: Mapping[str, Any], *, of_leads: bool) -> str:
    (small, large), (a, b) = bounds["at"], bounds["width"]
    least = "nothing" if bounds["low"] is None else None
    spans = [
        f"{least or format(exp(w * bounds['low']), '.2f')} to {exp(w * bounds['high']):.2f} times "
        f"{exp(at):,.0f}"
        for at, w in ((small, a), (large, b))
    ]
    who, where = (
        ("leads that are won", "groups lie from what models had predicted that had not seen them")
        if of_leads
        else (
            "accounts that convert",
            "groups of accounts in the calibration cohorts lie from what was predicted",
        )
    )
    return (
        f"Of {who}, {bounds['level']:.0%} are to come out between value_low and value_high: "
        f"{spans[0]} for the small, {spans[1]} for the large. So far did {bounds['rows']:,} conversions of "
        f"{bounds['groups']:,} {where}."
    )


def _high_value(told: Mapping[str, Any]) -> str:
    ahead = told["roc_auc"] - told["by_expected_value"]
    own, lead = _span(told["low"], told["high"], ".3f"), _span(told["ahead_low"], told["ahead_high"], "+.3f")
    return (
        f"Of {told['rows']:,} rows {told['best']:,} ended among the {told['share']:.0%} of highest "
        f"value of their cutoff; hva_likelihood promised {told['promised']:,.0f}. As an order it has a "
        f"ROC AUC of {told['roc_auc']:.3f}{own}, {ahead:+.3f}{lead} against the order by expected value "
        f"({told['by_expected_value']:.3f}); the probability to convert has {told['by_probability']:.3f}. "
        f"Its calibration error is {told['calibration_error']:.3f}, its Brier score {told['brier']:.3f} (the "
        f"same share told to all: {told['brier_of_rate']:.3f})."
    )


def _span(low: float | None, high: float | None, form: str) -> str:
    return "" if low is None or high is None else f" ({low:{form}} to {high:{form}})"


def _tail(tail: Mapping[str, Any], currency: str) -> str:
    seen = (
        "The trees have seen them as that amount (winsorised); what this took from the total is given back "
        "to all values alike."
        if tail["winsorised"]
        else "The trees have seen them as they are."
    )
    return (
        f"{tail['rows']:,} values of the training lie above their {tail['quantile']:.1%} quantile, "
        f"{tail['value']:,.0f} {currency}: these rows bring {tail['share']:.1%} of the value, and "
        f"{tail['above']:.1%} of it lies above that amount. {seen}"
    )


def _outlook(outlook: Mapping[str, Any]) -> str:
    usual, drift = exp(outlook["usual"]), exp(outlook["drift"])
    return (
        f"Past horizons brought {usual:.2f} times the usual revenue of the market. What the same days of the "
        f"year before foretell, times {drift:.2f} for the drift past it, is believed by "
        f"{outlook['weight']:.0%}, and moves likelihood and value of all accounts alike."
    )


def run_rate_sentence(told: Mapping[str, Any]) -> str:
    """Return how much of the value is past revenue that goes on, and why; empty where nobody asked.

    Parameters
    ----------
    told : mapping
        The key ``value`` of a release's metadata.

    Examples
    --------
    >>> run_rate_sentence({"run_rate": {"share": 0.0, "gain": 0.001, "error": 0.003}}).split(", and ")[1]
    'it is taken only if that is more than one standard error.'
    """
    rate = told.get("run_rate")
    if not rate:
        return ""
    what = "The run rate (what the last 365 days brought, scaled to the horizon)"
    why = (
        "with a quarter of it the relative deviance on calibration cohorts was lower by "
        f"{rate['gain']:.3f} ± {rate['error']:.3f}"
    )
    if rate["share"]:
        return f"{what} has a quarter of the log of values, the trees have the rest: {why}."
    rule = "it is taken only if that is more than one standard error"
    return f"{what} is left out of values: {why}, and {rule}."


def lifetime_sentences(told: Mapping[str, Any], currency: str) -> tuple[str, ...]:
    """Return sentences on how the lifetime value of customers did on later cohorts, and what was refused.

    Parameters
    ----------
    told : mapping
        The key ``lifetime`` of a release's metadata; empty where nobody asked.
    currency : str
        ISO 4217 code.

    Examples
    --------
    >>> lifetime_sentences({"kept_from": "3", "horizons": []}, "EUR")
    ('What follows was found for version 3 and was not looked at anew.',)
    """
    rules = {
        "hva_ml": "the lifetime value",
        "run_rate": "the run rate of the last year",
        "expected_value_prolonged": "the expected value prolonged",
    }
    found = []
    if told.get("kept_from"):
        found.append(
            f"What follows was measured for version {told['kept_from']}, whose windows after the horizon are "
            "kept; map and level of this release are newer and move all horizons; that was not measured anew."
            if told["horizons"]
            else f"What follows was found for version {told['kept_from']} and was not looked at anew."
        )
    for horizon in told.get("horizons", ()):
        days = horizon["horizon_days"]
        parts = [
            f"{rules[r['rule']]} promised {r['total_ratio']:.2f} times what came, with a mean absolute error "
            f"of {r['mae']:,.0f} {currency}"
            + (f" and a rank correlation of {r['spearman']:.3f}" if r["spearman"] is not None else "")
            for r in horizon["rules"]
        ]
        last = horizon["windows"][-1]
        found.append(
            f"Over {days} days, learned from cohorts that were over by {horizon['test_cutoffs'][0]} and held "
            f"against {horizon['rows']:,} rows of customers after it: {'; '.join(parts)}. From day "
            f"{last['from_days']} to {last['until_days']} {last['promised']:.1%} were to buy, "
            f"{last['rate']:.1%} did."
        )
    return (*found, *told.get("refused", ()))
