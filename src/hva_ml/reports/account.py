"""One account's report: what the score is, why, and the arithmetic that leads to it. One HTML file."""

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from hva_ml.errors import IntegrityError
from hva_ml.explanation.reader import Reader
from hva_ml.reports import pages
from hva_ml.reports.account_charts import waterfall
from hva_ml.reports.charts import WIDE, Chart, to_png, to_svg_file
from hva_ml.reports.language import Language, Tongue
from hva_ml.reports.pages import figure, plain, render

TOLERANCE = 1e-6
MOST_DECIMALS = 12


@dataclass(frozen=True)
class AccountView:
    """Everything the page of one account shows.

    Attributes
    ----------
    account_id, name : str
        Identifier, and company name (may be empty).
    as_of : datetime.date
        Only what was known before this day counts.
    currency : str
        ISO 4217 code.
    probability : float
        Likelihood of conversion within the horizon, in [0, 1].
    value_if_converted, expected_value : float
        In currency units; expected value is their product.
    percentile : float
        In [0, 100]; 100 is best.
    rank, n_accounts : int
        Place among all scored accounts, 1 is best.
    tier : str
        A, B or C.
    in_capacity : bool
        Whether the account is among those the team can work now.
    strategic_weight : float or None
        The user's own weight, shown beside the score and never in it.
    model_version : str
        Released version.
    base_expected_value : float
        Expected value of the account it is compared with.
    steps : tuple of (label, factor, money)
        ``base × all factors`` and ``base + all money`` are both the expected value.
    positive_reasons, negative_reasons : tuple of (text, factor)
        Sentences with the factor of each.
    horizon_days : int
        Length of the horizon.
    simulated : bool
        Whether the data are made up; the page then says so.
    families : tuple of (family, likelihood, value, total)
        Factors by family; the totals multiply to the expected value over that of the comparison.
    neighbours : tuple of (name, day, value, shared)
        Similar accounts that bought: name or id, matured cutoff, currency units, what both have in common.
    home, kind : str
        What the account it is compared with is called, and of which kind it is.
    parts : tuple of tuple of (label, factor, reached)
        The way to the probability, and the way to the value if converted.
    advice : tuple of str
        What would help, in sentences; empty where no feature is marked as actionable.
    advice_note : str
        What stands beside them.
    stale : bool
        Whether newer scores should be there and are not.
    missing : datetime.date or None
        The day whose scores did not come out.
    leads, dated : bool
        Whether it is a lead, and whether the days of similar ones are known.
    probability_bounds : tuple of float or None
        Lower and upper bound of the probability, and how often they hold, in (0, 1).
    value_bounds : tuple of float or None
        The same of what the account brings if it converts, currency units.
    high_value : tuple of float or None
        Likelihood of ending among the accounts of highest value, and which share these are, in (0, 1).
    lifetime : str
        What a customer probably brings over longer horizons, in a sentence; empty where nothing is told.
    """

    account_id: str
    name: str
    as_of: date
    currency: str
    probability: float
    value_if_converted: float
    expected_value: float
    percentile: float
    rank: int
    n_accounts: int
    tier: str
    in_capacity: bool
    strategic_weight: float | None
    model_version: str
    base_expected_value: float
    steps: tuple[tuple[str, float, float], ...]
    positive_reasons: tuple[tuple[str, float], ...]
    negative_reasons: tuple[tuple[str, float], ...]
    horizon_days: int
    simulated: bool = False
    families: tuple[tuple[str, float, float, float], ...] = ()
    neighbours: tuple[tuple[str, date, float, tuple[str, ...]], ...] = ()
    home: str = ""
    kind: str = "typical"
    parts: tuple[tuple[tuple[str, float, float], ...], ...] = ()
    advice: tuple[str, ...] = ()
    advice_note: str = ""
    stale: bool = False
    leads: bool = False
    dated: bool = True
    missing: date | None = None
    probability_bounds: tuple[float, float, float] | None = None
    value_bounds: tuple[float, float, float] | None = None
    high_value: tuple[float, float] | None = None
    lifetime: str = ""

    def check(self) -> None:
        """Hold the steps to their promise.

        Raises
        ------
        IntegrityError
            If they do not lead from the account it is compared with to the score.
        """
        ways = {
            "probability × value": self.probability * self.value_if_converted,
            "base × factors": self.base_expected_value * math.prod(f for _, f, _ in self.steps),
            "base × families": self.base_expected_value * math.prod(f[3] for f in self.families)
            if self.families
            else self.expected_value,
            "base + money": self.base_expected_value + math.fsum(m for _, _, m in self.steps),
        }
        for way, result in ways.items():
            if not math.isclose(result, self.expected_value, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
                raise IntegrityError(
                    f"{way} gives {result:.6g}, but the expected value is {self.expected_value:.6g}.",
                    where=f"account {plain(self.account_id, 60)}",
                    why="Reasons that do not lead to the score are no reasons.",
                    fix="Score again; if it stays so, the model files are damaged.",
                )


@dataclass(frozen=True)
class Line:
    """One line of the arithmetic, as written on the page."""

    label: str
    factor: str
    number: str
    money: str
    subtotal: str


@dataclass(frozen=True)
class Arithmetic:
    """``base × factors = total`` in figures whose product, as written, is the total as written.

    Attributes
    ----------
    base, total : str
        Written amounts.
    base_number : str
        The base as a plain decimal number, for machines.
    decimals : int
        Decimals of every factor.
    lines : tuple of Line
    """

    base: str
    base_number: str
    total: str
    decimals: int
    lines: tuple[Line, ...]


def arithmetic(view: AccountView, tongue: Tongue) -> Arithmetic:
    """Write the arithmetic with just as many decimals as its product needs.

    The factors get the fewest decimals, from two, with which base × factors, multiplied as written, rounds to
    the score as shown; the base has cents, and more digits only where the factors need five or more. Twelve
    decimals suffice for amounts below a hundred million.
    """
    total = tongue.money(view.expected_value, view.currency)
    base, factors, decimals = _digits(view, tongue, total)
    whole = 0 if max(view.base_expected_value, view.expected_value) >= 100 else 2
    lines, reached = [], view.base_expected_value
    for (label, _, money), written in zip(view.steps, factors, strict=True):
        reached += money
        lines.append(
            Line(
                label,
                "×" + tongue.number(float(written), decimals),
                f"{written:f}",
                ("+" if money >= 0 else "−") + tongue.money(abs(money), view.currency, whole),
                tongue.money(reached, view.currency, whole),
            )
        )
    shown = tongue.money(float(base), view.currency, -int(base.as_tuple().exponent))
    return Arithmetic(shown, f"{base:f}", total, decimals, tuple(lines))


def _digits(view: AccountView, tongue: Tongue, total: str) -> tuple[Decimal, list[Decimal], int]:
    """Return base and factors as written, and the decimals of the factors."""
    for decimals in range(2, MOST_DECIMALS + 1):
        base = Decimal(f"{view.base_expected_value:.{max(2, decimals - 2)}f}")
        factors = [Decimal(f"{factor:.{decimals}f}") for _, factor, _ in view.steps]
        # At last, a score right on the edge of rounding: the final digit of one figure goes the other way.
        last = decimals == MOST_DECIMALS
        for nudge in (0, 1, -1) if last else (0,):
            written = [base, *factors]
            written[-1] += nudge * Decimal(1).scaleb(int(written[-1].as_tuple().exponent))
            if tongue.money(float(math.prod(written, start=Decimal(1))), view.currency) == total:
                return written[0], written[1:], decimals
    return base, factors, MOST_DECIMALS


def html(view: AccountView, *, language: Language = "en", country: str = "DE") -> str:
    """Return one account's report as a self-contained page.

    Parameters
    ----------
    view : AccountView
        What to show.
    language : {"en", "de"}
        Language of all words; the reasons come in the view and should be in the same one.
    country : {"DE", "AT", "CH"}
        How German numbers are written.

    Raises
    ------
    IntegrityError
        If the steps do not lead to the score.
    """
    view.check()
    tongue = Tongue(language, country)
    return render(
        "account.html",
        tongue,
        view=view,
        title=view.name or view.account_id,
        home=view.home or Reader(language, country, view.currency).named(view.kind),
        waterfall=figure(lambda width: chart(view, tongue, width)),
        arithmetic=arithmetic(view, tongue),
        positive=_reasons(view.positive_reasons, tongue),
        negative=_reasons(view.negative_reasons, tongue),
    )


def chart(view: AccountView, tongue: Tongue, width: int = WIDE) -> Chart:
    """Return the waterfall of an account."""
    steps = [(plain(label, 120), factor, money) for label, factor, money in view.steps]
    return waterfall(
        view.base_expected_value, steps, view.expected_value, view.currency, tongue, width,
        home=plain(view.home, 120), kind=view.kind,
    )  # fmt: skip


def write(
    view: AccountView,
    place: Path,
    *,
    language: Language = "en",
    country: str = "DE",
    png: bool = False,
    svg: bool = False,
) -> tuple[Path, ...]:
    """Write one account's report, each file whole or not at all.

    Parameters
    ----------
    view : AccountView
        What to show.
    place : pathlib.Path
        Path without ending; ``.html`` and, if asked for, ``.png`` and ``.svg`` are added.
    language, country : str
        See `html`.
    png, svg : bool
        Write the waterfall as a picture, too.

    Returns
    -------
    tuple of pathlib.Path
        The files written.
    """
    page = pages.write(place.with_name(place.name + ".html"), html(view, language=language, country=country))
    drawn = chart(view, Tongue(language, country)) if png or svg else None
    files = [page]
    if drawn is not None and png:
        files.append(pages.write(place.with_name(place.name + ".png"), to_png(drawn)))
    if drawn is not None and svg:
        files.append(pages.write(place.with_name(place.name + ".svg"), to_svg_file(drawn)))
    return tuple(files)


def _reasons(reasons: tuple[tuple[str, float], ...], tongue: Tongue) -> list[tuple[str, str]]:
    """Return sentence and written factor apart; a sentence that ends in its factor does not say it twice."""
    written = [(text, tongue.factor(factor)) for text, factor in reasons]
    return [(text.removesuffix(f": {factor}"), factor) for text, factor in written]
