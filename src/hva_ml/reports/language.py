"""One reader's language and country: words of the pages, and numbers as that country writes them."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from hva_ml.errors import UsageError
from hva_ml.explanation import formats
from hva_ml.reports.information_words import INFORMATION
from hva_ml.reports.monitoring_words import MONITORING
from hva_ml.reports.night_words import CHANGES
from hva_ml.reports.overview_words import OVERVIEW
from hva_ml.reports.words import ACCOUNT, CHARTS, FAMILIES, MODELS, SCORES

Language = Literal["de", "en"]
WORDS = CHARTS | ACCOUNT | SCORES | CHANGES | INFORMATION | OVERVIEW | MONITORING


@dataclass(frozen=True)
class Tongue:
    r"""A language with a country.

    Parameters
    ----------
    language : {"de", "en"}
        Language of all words.
    country : str
        ``DE``, ``AT`` or ``CH``: how German numbers are written.

    Raises
    ------
    UsageError
        For another language.

    Examples
    --------
    >>> Tongue("de", "AT").word("rank", rank=3, accounts=120), Tongue("de").money(1234.5, "EUR")
    ('Rang 3 von 120', '1.234\xa0€')
    """

    language: Language = "en"
    country: str = "DE"

    def __post_init__(self) -> None:
        formats.locale_name(self.language, self.country)
        if len(self.country) > 2:
            raise UsageError(
                f"'{self.country[:20]}' is no country code.", where="country", fix="Use DE, AT or CH."
            )

    def word(self, key: str, **parts: Any) -> str:
        """Return the wording of `key` with its parts filled in; raises ``KeyError`` for an unknown key."""
        return formats.swiss(self._of(WORDS, key), self.country).format(**parts)

    def within(self, horizon_days: int) -> str:
        """Return by when: "within 90 days", or "until decided" for 0."""
        return self.word("within_days", days=horizon_days) if horizon_days else self.word("until_decided")

    def since_contact(self, horizon_days: int) -> str:
        """Return by when a lead is won: "within 90 days of the first contact", or "until decided" for 0."""
        return self.word("of_contact", days=horizon_days) if horizon_days else self.word("until_decided")

    def model(self, name: str) -> str:
        """Return the name of a model or baseline as people say it; unknown ones stay as they are."""
        return self._of(MODELS, name) if name in MODELS else name

    def family(self, name: str) -> str:
        """Return the name of a feature family as people say it; unknown ones stay as they are."""
        return self._of(FAMILIES, name) if name in FAMILIES else name

    def money(self, amount: float, currency: str, decimals: int | None = None) -> str:
        """Return an amount of money in currency units; without `decimals`, cents only below 100."""
        return formats.money(
            amount, currency, language=self.language, country=self.country, decimals=decimals
        )

    def money_short(self, amount: float, currency: str) -> str:
        """Return an amount of money as one says it: large ones in millions or billions."""
        return formats.money_short(amount, currency, language=self.language, country=self.country)

    def number(self, value: float, decimals: int = 0) -> str:
        """Return a number with exactly `decimals` digits."""
        return formats.number(value, language=self.language, country=self.country, decimals=decimals)

    def percent(self, share: float, decimals: int = 1) -> str:
        """Return a share in [0, 1] as a percentage."""
        return formats.percent(share, language=self.language, country=self.country, decimals=decimals)

    def factor(self, value: float) -> str:
        """Return a factor with as many digits as it needs, e.g. "×1,8"."""
        return formats.factor(value, language=self.language, country=self.country)

    def day(self, when: date) -> str:
        """Return a calendar day."""
        return formats.day(when, language=self.language, country=self.country)

    @property
    def d3(self) -> dict[str, Any]:
        """Number format of chart axes: the same separators as everywhere else."""
        written = self.number(1234567.5, 1)
        return {"decimal": written[-2], "thousands": written[1], "grouping": [3], "currency": ["", ""]}

    def _of(self, words: dict[str, tuple[str, str]], key: str) -> str:
        german, english = words[key]
        return german if self.language == "de" else english
