"""The model as plain files: booster texts, JSON and the pipeline's TOML, all under hashes, no pickle."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hva_ml import calibration
from hva_ml.calibration import Calibrator, HighValue, LifetimeValue, Outlook, ValueSpread
from hva_ml.errors import ContractError, IntegrityError
from hva_ml.explanation import composition
from hva_ml.explanation.composition import Explanation
from hva_ml.explanation.references import References
from hva_ml.features.definition import FeatureDefinition, FeatureSet
from hva_ml.features.outlook import OUTLOOK, SEEN
from hva_ml.folders import (
    MANIFEST,
    bytes_entry,
    canonical,
    pretty,
    read_json,
    whole_folder,
)
from hva_ml.registry.identity import FIX, FORMAT, release_hash, release_of
from hva_ml.training.booster import Booster
from hva_ml.training.matrix import Encoder

Floats = npt.NDArray[np.float64]
HIGH_VALUE, HIGH_VALUE_MAP = "high_value.txt", "high_value_calibrator.json"
PROFILE, LIFETIME = "profile.json", "lifetime.json"

NUMBERS = (
    ("conversion_probability", "probability"),
    ("probability_low", "probability_low"),
    ("probability_high", "probability_high"),
    ("value_if_converted", "value_if_converted"),
    ("value_low", "value_low"),
    ("value_high", "value_high"),
    ("expected_value", "expected_value"),
    ("hva_likelihood", "hva_likelihood"),
)
"""What is served of a row: name of the published column, and of the prediction."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a bundle says of the rows of a feature set, in their order.

    Attributes
    ----------
    account_id, cutoff : pyarrow.ChunkedArray
        Of the feature set.
    probability : numpy.ndarray of float64, shape (n_rows,)
        Likelihood of conversion within the horizon, in [0, 1].
    probability_low, probability_high : numpy.ndarray of float64, shape (n_rows,)
        Bounds of it, see `Calibrator.interval`; NaN for models that do not know how sure they are.
    value_if_converted : numpy.ndarray of float64, shape (n_rows,)
        Currency units, > 0.
    value_low, value_high : numpy.ndarray of float64, shape (n_rows,)
        Between what the value comes out if the row converts, see `ValueSpread`; NaN for models that do not
        know.
    expected_value : numpy.ndarray of float64, shape (n_rows,)
        Product of likelihood and value if converted, currency units.
    hva_likelihood : numpy.ndarray of float64, shape (n_rows,)
        Likelihood of ending among the accounts of highest value; NaN for models that do not tell it.
    X : numpy.ndarray of float64, shape (n_rows, n_features)
        The rows as the models see them.
    unseen : dict of str to int
        Rows with a category that training has not seen, by feature.
    """

    account_id: pa.ChunkedArray
    cutoff: pa.ChunkedArray
    probability: Floats
    probability_low: Floats
    probability_high: Floats
    value_if_converted: Floats
    value_low: Floats
    value_high: Floats
    expected_value: Floats
    hva_likelihood: Floats
    X: Floats
    unseen: dict[str, int]

    @property
    def numbers(self) -> dict[str, Floats]:
        """What is served, by column of ``scores``: see `NUMBERS`."""
        return {column: getattr(self, name) for column, name in NUMBERS}


@dataclass(frozen=True, eq=False)
class Bundle:
    """Everything needed to score and explain, and what is known about where it comes from.

    Attributes
    ----------
    pipeline : str
        Name of the pipeline.
    config_text : str
        The pipeline file as it was used.
    definitions : tuple of FeatureDefinition
        In the order of the matrix.
    encoder : Encoder
        Features to matrix.
    conversion, value : Booster
        Log-odds of conversion; log of the value given conversion.
    calibrator : Platt or Beta
        Margin to probability.
    value_log_scale : float
        Added to the value margin.
    value_distribution : str
        Family the value model was trained with.
    references : References
        The accounts as the models see them that explanations compare with.
    currency : str
        ISO 4217 code.
    horizon_days, gap_days : int
        The label window.
    metadata : dict
        JSON: versions, data fingerprints, cutoffs, metrics.
    outlook : Outlook or None
        What the day adds to both margins; None for nothing.
    direct : bool
        Whether the value's margin is the log of the expected value itself; the value given a conversion is
        then that divided by the likelihood.
    profile : dict or None
        JSON: what the data looked like where the models learned, in counts, for `hva_ml.monitoring`; None
        for models of before there was one.
    value_spread : ValueSpread or None
        Between which factors of it values come out; None for models that do not know.
    high_value : HighValue or None
        Who will be among the accounts of highest value; None for models that do not tell it.
    lifetime : LifetimeValue or None
        What existing customers bring over longer horizons; None for models that do not tell it.
    """

    pipeline: str
    config_text: str
    definitions: tuple[FeatureDefinition, ...]
    encoder: Encoder
    conversion: Booster
    calibrator: Calibrator
    value: Booster
    value_log_scale: float
    value_distribution: str
    references: References
    currency: str
    horizon_days: int
    gap_days: int
    metadata: dict[str, Any]
    outlook: Outlook | None = None
    direct: bool = False
    profile: dict[str, Any] | None = None
    value_spread: ValueSpread | None = None
    high_value: HighValue | None = None
    lifetime: LifetimeValue | None = None

    def __post_init__(self) -> None:
        names = tuple(d.name for d in self.definitions)
        parts = {
            "encoder": self.encoder.names,
            "conversion model": self.conversion.names,
            "value model": self.value.names,
        }
        if self.high_value is not None:
            parts["model of highest value"] = self.high_value.booster.names
        numbered = tuple(f"f{j}" for j in range(len(names)))
        for part, found in parts.items():
            # Models fitted on a bare matrix number their columns; everything else must be the same features.
            if found != names and (part == "encoder" or found != numbered):
                raise _not_together(f"the {part} reads other features than the {len(names)} that are defined")
        width = self.references.matrix.shape[1]
        if width != len(names):
            raise _not_together(f"the reference accounts have {width} features, not {len(names)}")
        if self.outlook is not None:
            for place, name in zip(self.outlook.columns, (OUTLOOK, SEEN), strict=False):
                if names[place : place + 1] != (name,):
                    raise _not_together(f"feature {place} is not the outlook '{name}'")

    def predict(self, features: FeatureSet) -> Predictions:
        """Return likelihood, value and expected value of every row."""
        X = self.encoder.transform(features)
        margin, worth = composition.margins(self, X)
        logs = composition.log_value(self, margin, worth)
        probability, value = self.calibrator.probability(margin), np.exp(logs)
        low, high = self.calibrator.interval(margin)
        least, most = np.full((2, len(logs)), np.nan)
        if self.value_spread is not None:
            least, most = self.value_spread.bounds(logs)
        return Predictions(
            account_id=features.table["account_id"],
            cutoff=features.table["cutoff"],
            probability=probability,
            probability_low=low,
            probability_high=high,
            value_if_converted=value,
            value_low=least,
            value_high=most,
            expected_value=probability * value,
            hva_likelihood=self.high_value.likelihood(X) if self.high_value else np.full(len(X), np.nan),
            X=X,
            unseen=self.encoder.unseen(features),
        )

    def outcomes(self, X: Floats) -> tuple[Floats, Floats]:
        """Return likelihood and value if converted of encoded rows, each of shape (n_rows,)."""
        margin, worth = composition.margins(self, X)
        value = np.exp(composition.log_value(self, margin, worth))
        return self.calibrator.probability(margin), value

    def decoded(self, row: Floats) -> tuple[float | str | None, ...]:
        """Return an encoded row as people read it: categories by name, None where unknown."""
        told: list[float | str | None] = []
        for definition, code in zip(self.definitions, row.tolist(), strict=True):
            if np.isnan(code):
                told.append(None)
            elif definition.kind == "category":
                told.append(self.encoder.decode(definition.name, code))
            else:
                told.append(code)
        return tuple(told)

    def segment(self, reference: int) -> str | None:
        """Return the category that a reference account stands for, None if it stands for all."""
        account, column = self.references.accounts[reference], self.references.column
        if account.overall or column is None:
            return None
        return self.encoder.decode(self.encoder.names[column], account.code)

    def explain(self, rows: FeatureSet | Floats, kind: str = "") -> Explanation:
        """Return the exact factors of every row, from a feature set or from the matrix of `predict`.

        Parameters
        ----------
        rows : FeatureSet or numpy.ndarray of float64, shape (n_rows, n_features)
        kind : str
            Which reference accounts, see `References.kinds`; by default those of the published scores.
        """
        X = self.encoder.transform(rows) if isinstance(rows, FeatureSet) else rows
        return composition.explain(self, X, self.references.matrix, self.references.which(X, kind))

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The bundle's files by name, without the manifest."""
        facts = {
            "pipeline": self.pipeline,
            "value_log_scale": float(self.value_log_scale),
            "value_distribution": self.value_distribution,
            "currency": self.currency,
            "horizon_days": self.horizon_days,
            "gap_days": self.gap_days,
        }
        if self.outlook is not None:
            facts["outlook"] = self.outlook.record()
        if self.direct:
            facts["direct"] = True
        if self.value_spread is not None:
            facts["value_spread"] = self.value_spread.record()
        if self.high_value is not None:
            facts["high_value"] = self.high_value.share
        texts = {
            "conversion.txt": self.conversion.to_text(),
            "value.txt": self.value.to_text(),
            "encoder.json": pretty(self.encoder.to_dict()),
            "calibrator.json": pretty(self.calibrator.to_dict()),
            "features.json": pretty([d.record() for d in self.definitions]),
            "reference.json": pretty(self.references.record()),
            "pipeline.toml": self.config_text,
            "metadata.json": pretty({"model": facts, "metadata": self.metadata}),
        }
        if self.profile is not None:
            texts[PROFILE] = canonical(self.profile) + "\n"
        if self.high_value is not None:
            texts[HIGH_VALUE] = self.high_value.booster.to_text()
            texts[HIGH_VALUE_MAP] = pretty(self.high_value.calibrator.to_dict())
        if self.lifetime is not None:
            texts[LIFETIME] = pretty(self.lifetime.record())
        return {name: text.encode() for name, text in texts.items()}

    @cached_property
    def release(self) -> str:
        """The sha256 that names this model: equal files, equal release."""
        return release_hash({name: bytes_entry(content) for name, content in self.files.items()})

    def write(self, folder: Path) -> None:
        """Write the bundle as one whole folder; writing the same again does nothing.

        Raises
        ------
        IntegrityError
            If `folder` already holds anything else.
        """
        entries = {name: bytes_entry(content) for name, content in self.files.items()}
        if folder.exists():
            if release_of(folder) != release_hash(entries):
                raise IntegrityError(
                    "The folder already holds another model.",
                    where=str(folder),
                    why="A stored model is never overwritten.",
                    fix="Choose another folder, or remove this one by hand.",
                )
            return
        manifest = {"format": FORMAT, "files": entries, "release": release_hash(entries)}
        with whole_folder(folder) as part:
            for name, content in self.files.items():
                (part / name).write_bytes(content)
            (part / MANIFEST).write_bytes(pretty(manifest).encode())

    @classmethod
    def read(cls, folder: Path, *, beside: tuple[str, ...] = ()) -> "Bundle":
        """Read a bundle after holding every file to its hash.

        Parameters
        ----------
        folder : Path
            As written by `write`.
        beside : tuple of str
            Names of files that may lie there too (a release has its card).

        Raises
        ------
        IntegrityError
            Naming the first file that is missing, changed, foreign or not understood.
        """
        release = release_of(folder, beside=beside)
        record = {p: read_json(folder / f"{p}.json", FIX) for p in ("encoder", "calibrator", "features")}
        reference = read_json(folder / "reference.json", FIX)
        stored = read_json(folder / "metadata.json", FIX)
        try:
            facts = stored["model"]
            found = cls(
                pipeline=str(facts["pipeline"]),
                config_text=_text(folder / "pipeline.toml"),
                definitions=tuple(FeatureDefinition(**d) for d in record["features"]),
                encoder=Encoder.from_dict(record["encoder"]),
                conversion=Booster.from_text(_text(folder / "conversion.txt")),
                calibrator=calibration.from_dict(record["calibrator"]),
                value=Booster.from_text(_text(folder / "value.txt")),
                value_log_scale=float(facts["value_log_scale"]),
                value_distribution=str(facts["value_distribution"]),
                references=References.from_record(reference),
                currency=str(facts["currency"]),
                horizon_days=int(facts["horizon_days"]),
                gap_days=int(facts["gap_days"]),
                metadata=dict(stored["metadata"]),
                outlook=Outlook.from_record(facts["outlook"]) if "outlook" in facts else None,
                direct=bool(facts.get("direct", False)),
                profile=read_json(folder / PROFILE, FIX) if (folder / PROFILE).is_file() else None,
                value_spread=ValueSpread.from_record(spread)
                if (spread := facts.get("value_spread"))
                else None,
                high_value=_high_value(folder, facts["high_value"]) if "high_value" in facts else None,
                lifetime=LifetimeValue.from_record(read_json(folder / LIFETIME, FIX))
                if (folder / LIFETIME).is_file()
                else None,
            )
            # The files decide: this version might write the same model in other words.
            vars(found)["release"] = release
            return found
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(
                "The model's files are whole but not in the form this version writes.",
                where=str(folder),
                fix="Use the version of hva-ml named in metadata.json, or train and promote again.",
            ) from error


def _high_value(folder: Path, share: Any) -> HighValue:
    booster = Booster.from_text(_text(folder / HIGH_VALUE))
    calibrator = calibration.from_dict(read_json(folder / HIGH_VALUE_MAP, FIX))
    return HighValue(booster, calibrator, float(share))


def _text(path: Path) -> str:
    return path.read_bytes().decode()


def _not_together(what: str) -> ContractError:
    return ContractError(
        f"The parts of the model do not belong together: {what}.",
        where="bundle",
        why="A column read as another one gives a confident wrong score.",
        fix="Bundle an encoder with the two models that were trained on its matrix.",
    )
