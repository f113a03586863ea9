"""What explaining one account gives: words, factors, tables, files, and shap's own object."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hva_ml.errors import one_line
from hva_ml.explanation.composition import explain_pairs
from hva_ml.explanation.families import FamilyFactor
from hva_ml.explanation.plots import to_shap
from hva_ml.explanation.reasons import Reason
from hva_ml.jobs.neighbours import Neighbour
from hva_ml.jobs.shap_values import feature_names
from hva_ml.jobs.told import Told, encode
from hva_ml.reports.language import Language


@dataclass(frozen=True)
class Explained:
    """One account explained.

    Attributes
    ----------
    account_id, title, text : str
        Whom it is about, a headline, and a paragraph in the language asked for.
    row : dict
        The published score.
    reasons : tuple of Reason
        For and against, strongest first.
    families : tuple of FamilyFactor
        The overview: they multiply to the score over the typical account's.
    neighbours : tuple of Neighbour
        Similar accounts that bought, nearest first.
    columns, steps : tuple
        The arithmetic from the typical account to this one: step, factor, expected value reached.
    table : pyarrow.Table
        The same in numbers: step, kind, factor, start, end, change.
    likelihood, value : pyarrow.Table
        The same for probability and for value if converted alone.
    files : tuple of pathlib.Path
        The page, and what else was asked for.
    language, country : str
        How words and numbers are written.
    told : Told
        What the published run says of the account, and whom it is compared with.
    lifetime : str
        What a customer probably brings over longer horizons, in a sentence; empty where nobody asked.
    """

    account_id: str
    title: str
    text: str
    row: dict[str, Any]
    reasons: tuple[Reason, ...]
    families: tuple[FamilyFactor, ...]
    neighbours: tuple[Neighbour, ...]
    columns: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]
    table: pa.Table
    likelihood: pa.Table
    value: pa.Table
    files: tuple[Path, ...]
    language: Language
    country: str
    told: Told = field(repr=False)
    lifetime: str = ""

    def to_shap(self, part: str = "expected_value") -> Any:
        """Return the contributions as a ``shap.Explanation``, for shap's own plots; see `hva.shap_values`.

        Parameters
        ----------
        part : {"expected_value", "likelihood", "value"}
            Of which score; values are natural logarithms of factors.

        Raises
        ------
        UsageError
            If shap is not installed, or there is no such part.
        """
        told = self.told
        ways = {
            "expected_value": (told.contributions, told.log_base),
            "likelihood": (told.likelihood, told.log_base_probability),
            "value": (told.value, told.log_base_value),
        }
        effects, base = ways.get(part, ways["expected_value"])
        names = feature_names(told.bundle, self.language, self.country)
        X = encode(told.bundle, told.values)
        return to_shap(effects[None, :], np.array([base]), X, [told.values], names, part)[0]

    def interactions(self, limit: int = 10) -> pa.Table:
        """Return which two features act together, beyond what each does alone, strongest first.

        Parameters
        ----------
        limit : int
            Most pairs.

        Returns
        -------
        pyarrow.Table
            feature, other (in words), factor: what the expected value is multiplied by because both come
            together (half of the Shapley interaction index stands with each of them in the reasons).
        """
        told = self.told
        bundle, place = told.bundle, told.home.place
        home = bundle.references.matrix[place] if place >= 0 else encode(bundle, list(told.home.values))[0]
        joint = explain_pairs(bundle, home[None, :], encode(bundle, told.values))[0]
        names = feature_names(bundle, self.language, self.country)
        first, second = np.triu_indices(len(names), k=1)
        effects = 2.0 * joint[first, second]
        best = [k for k in np.argsort(-np.abs(effects), kind="stable")[:limit].tolist() if effects[k] != 0.0]
        return pa.table(
            {
                "feature": pa.array([names[first[k]] for k in best], pa.string()),
                "other": pa.array([names[second[k]] for k in best], pa.string()),
                "factor": pa.array(np.exp(effects[best])),
            }
        )

    @property
    def plain(self) -> str:
        """Headline, paragraph and reasons as plain text, one reason a line."""
        worth = (self.lifetime,) if self.lifetime else ()
        told = (self.title, "", self.text, *worth, "", *(f"- {r.text}" for r in self.reasons))
        return "\n".join(one_line(line) for line in told)

    def record(self) -> dict[str, object]:
        """Return it as a JSON-ready record."""
        return {
            "account_id": self.account_id,
            "text": self.text,
            "lifetime": self.lifetime,
            "score": {k: v for k, v in self.row.items() if not k.startswith("reasons_")},
            "reasons": [r.record() for r in self.reasons],
            "families": [asdict(f) for f in self.families],
            "neighbours": [asdict(n) for n in self.neighbours],
            "steps": self.table.to_pylist(),
            "likelihood_steps": self.likelihood.to_pylist(),
            "value_steps": self.value.to_pylist(),
            "files": [str(p) for p in self.files],
            "stale": self.told.run.stale.record() if self.told.run.stale else None,
        }
