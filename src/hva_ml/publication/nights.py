"""What of a night of scores is compared: tonight's before they are written, last night's as they are read."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hva_ml.config import Audit
from hva_ml.contracts import forms
from hva_ml.contracts.records import ContractTables
from hva_ml.contracts.sampled import Sample, sampled, unpacked
from hva_ml.contracts.volumes import HISTORY, volumes
from hva_ml.publication.reading import NIGHT, Published, manifest_of, read
from hva_ml.publication.rows import AuditRow

if TYPE_CHECKING:
    from hva_ml.features.definition import FeatureSet

    # Whoever only reads scores need not load the models' libraries.
    from hva_ml.scoring import Scored

Floats = npt.NDArray[np.float64]
NUMBERS = ("conversion_probability", "value_if_converted", "expected_value")
_SAMPLE = 4_096


@dataclass(frozen=True)
class Profile:
    """What is known of one feature over all accounts.

    Attributes
    ----------
    null_share : float
        Share of accounts for which it is unknown.
    level, spread : float or None
        Mean of its absolute value, and standard deviation of that, where known; None for a category, and for
        a number that is the same for all (it tells the day, not the accounts).
    apart : float or None
        Share of accounts that have not the most common value, unknown being one, too; None where a night does
        not say.
    """

    null_share: float
    level: float | None = None
    spread: float | None = None
    apart: float | None = None


@dataclass(frozen=True, eq=False)
class Night:
    """The scores of all accounts as of a day, and what is known of the rows behind them.

    Attributes
    ----------
    as_of : datetime.date
        The day.
    version, release, settings : str
        Version and hash of the model; hash of the pipeline file.
    account_id, tier : pyarrow.Array
        Strings, one for each account.
    numbers : mapping of str to numpy.ndarray of float64, shape (n_accounts,)
        `NUMBERS`.
    features : mapping of str to Profile
        What is known of each feature.
    without_history : float or None
        Share of accounts without any row of history; None if the pipeline has no such table.
    volumes : mapping of str to int
        Rows that each source brought within four weeks, see `hva_ml.contracts.volumes`.
    zoneless : mapping of str to float
    varied : mapping of str to int
        In what form the sources came, see `hva_ml.contracts.forms`; empty where a night does not say.
    sample : mapping of str to Sample
        Some rows of each table, see `hva_ml.contracts.sampled`; likewise.
    """

    as_of: date
    version: str
    release: str
    settings: str
    account_id: pa.Array
    tier: pa.Array
    numbers: Mapping[str, Floats]
    features: Mapping[str, Profile]
    without_history: float | None
    volumes: Mapping[str, int] = field(default_factory=dict)
    zoneless: Mapping[str, float] = field(default_factory=dict)
    varied: Mapping[str, int] = field(default_factory=dict)
    sample: Mapping[str, Sample] = field(default_factory=dict)

    def profile(self) -> dict[str, Any]:
        """Return what the manifest keeps for the night after, JSON-ready."""
        features = {name: asdict(profile) for name, profile in self.features.items()}
        return {
            "features": features,
            "without_history": self.without_history,
            "volumes": dict(self.volumes),
            "zoneless": dict(self.zoneless),
            "varied": dict(self.varied),
            "sample": {table: sample.packed() for table, sample in self.sample.items()},
        }


@dataclass(frozen=True, eq=False)
class Tonight:
    """A run before it is written, and what it is held to.

    Attributes
    ----------
    night : Night
        Its scores.
    unseen : mapping of str to float
        Share of accounts with a category that training has not seen, for every category feature.
    arrivals : tuple of AuditRow
        Whether the sources came.
    limits : Audit
        ``[audit]`` of the pipeline.
    force : str
        A reason to publish whatever is found; empty for none.
    as_known : callable or None
        Says how the features of a day are by tonight's sources and what was known before another day; None
        where they cannot be asked.
    """

    night: Night
    unseen: Mapping[str, float]
    arrivals: tuple[AuditRow, ...]
    limits: Audit
    force: str = ""
    as_known: Callable[[date, date], Mapping[str, Profile]] | None = None


def of_scored(
    scored: "Scored", visible: ContractTables, settings: str, zoneless: Mapping[str, float]
) -> Night:
    """Return the night of scores that are not written yet.

    Parameters
    ----------
    scored : Scored
        All accounts.
    visible : ContractTables
        What was known before the day.
    settings : str
        Hash of the pipeline file.
    zoneless : mapping of str to float
        How many times came without a zone, see `hva_ml.contracts.forms`.
    """
    table, n = scored.features.table, scored.features.table.num_rows
    ids = table["account_id"].combine_chunks()
    numbers = (scored.probability, scored.value, scored.probability * scored.value)
    tables = [t for t in HISTORY if t in visible.tables]
    owners = (p["account_id"] for t in tables for p in visible.pieces(t, ["account_id"]))
    known = (
        pa.concat_arrays([pc.unique(ids).cast(pa.string()) for ids in owners]).unique() if tables else None
    )
    return Night(
        scored.as_of, scored.model_version, scored.bundle.release, settings, ids,
        pa.array(scored.place.tier.tolist(), pa.string()), dict(zip(NUMBERS, numbers, strict=True)),
        profiles(scored.features),
        None if known is None else 1.0 - pc.sum(pc.is_in(ids, known)).as_py() / n,
        {name: int(rows[0]) for name, rows in volumes(visible, _moment(table)).items()},
        zoneless, forms.varied(visible), sampled(visible),
    )  # fmt: skip


def _moment(features: pa.Table) -> npt.NDArray[np.int64]:
    """Return the one cutoff of a night, in microseconds."""
    return np.asarray(features["cutoff"][:1].cast(pa.int64()).to_numpy(), dtype=np.int64)


def profile(column: pa.ChunkedArray) -> Profile:
    """Return the profile of one feature, numbers or categories.

    Examples
    --------
    >>> profile(pa.chunked_array([[1.0, -3.0, None, 2.0]]))
    Profile(null_share=0.25, level=2.0, spread=0.816496580927726, apart=0.75)
    """
    null_share, apart = column.null_count / len(column), _apart(column)
    if not pa.types.is_floating(column.type) or len(column) - column.null_count < 2:
        return Profile(null_share, apart=apart)
    size = np.abs(column.drop_null().to_numpy())
    level, spread = float(size.mean()), float(size.std())
    constant = bool(size.min() == size.max()) and level > 0
    return Profile(null_share, apart=apart) if constant else Profile(null_share, level, spread, apart)


def _apart(column: pa.ChunkedArray) -> float:
    """Return the share of cells that have not the most common value, as a sample of them finds it.

    A value that most cells have is the most common one of any sample; below that, either will do.
    """
    n = len(column)
    sample = column.take(pa.array(np.arange(0, n, max(1, n // _SAMPLE)))) if n > _SAMPLE else column
    counted = pc.value_counts(sample)
    most = counted.field("values")[int(np.argmax(counted.field("counts").to_numpy()))]
    if not most.is_valid:
        return float(1.0 - column.null_count / n)
    same = pc.sum(pc.equal(column, most)).as_py()
    return float(1.0 - same / n)


def profiles(features: "FeatureSet") -> dict[str, Profile]:
    """Return what is known of each feature of a night."""
    return {d.name: profile(features.table[d.name]) for d in features.definitions}


def profiles_of(manifest: Mapping[str, Any]) -> dict[str, Profile]:
    """Return what the manifest of a run keeps of each feature."""
    kept = manifest.get(NIGHT, {}).get("profile", {}).get("features", {})
    return {name: Profile(**told) for name, told in kept.items()}


def of_published(folder: Path, run: Published) -> Night:
    """Return the night of a published run, held to its hashes.

    Raises
    ------
    IntegrityError
        If it is damaged.
    """
    scores = read(folder, "scores", run.run_id, columns=("account_id", "tier", *NUMBERS))
    manifest = manifest_of(run.path)
    kept = manifest.get(NIGHT, {}).get("profile", {})
    return Night(
        date.fromisoformat(run.identity["as_of"]), run.identity["model_version"], run.identity["release"],
        run.identity["scoring"], scores["account_id"].combine_chunks(), scores["tier"].combine_chunks(),
        {name: scores[name].to_numpy() for name in NUMBERS},
        profiles_of(manifest),
        kept.get("without_history"), kept.get("volumes", {}), kept.get("zoneless", {}),
        kept.get("varied", {}), {table: unpacked(told) for table, told in kept.get("sample", {}).items()},
    )  # fmt: skip
