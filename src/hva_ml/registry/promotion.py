"""A release: the model's files, its card and the decision, in one folder that is written once and for all."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hva_ml.errors import IntegrityError, UsageError
from hva_ml.folders import (
    MANIFEST,
    bytes_entry,
    canonical,
    file_entry,
    pretty,
    read_json,
    replace_file,
    text_hash,
    whole_folder,
)
from hva_ml.registry.continuity import FILE as CONTINUITY
from hva_ml.registry.continuity import Continuity
from hva_ml.registry.identity import FIX, release_of

if TYPE_CHECKING:
    # Whoever only asks for releases need not load what judges them.
    from hva_ml.registry.gates import GateResult

POINTER = "CHAMPION"
CARD = "card.md"
RECORD = "release.json"
BESIDE = (CARD, RECORD, CONTINUITY)
FORMAT = "hva-release-1"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def release(
    bundle_folder: Path,
    models_folder: Path,
    version: str,
    *,
    card: str,
    gates: Sequence["GateResult"],
    run_id: str,
    forced: str = "",
    origin: Mapping[str, Any] | None = None,
    goes_on: Continuity | None = None,
) -> Path:
    """Write ``<models_folder>/<version>/`` as one whole.

    Releasing the same model under the same version again does nothing: the first decision stands.

    Parameters
    ----------
    bundle_folder : Path
        The model, as written by ``Bundle.write``.
    models_folder : Path
        ``models/<pipeline>/``.
    version : str
        Letters, digits, ``_``, ``.`` and ``-``.
    card : str
        The model card, Markdown.
    gates : sequence of GateResult
        What was measured against which bound.
    run_id : str
        MLflow's id of the training run.
    forced : str
        The reason for a promotion although a gate does not hold.
    origin : mapping, optional
        The record of the release in the workspace that it was trained in, where that is another one.
    goes_on : Continuity, optional
        The map from its expected values to the scale that readers know.

    Returns
    -------
    Path
        The release's folder.

    Raises
    ------
    UsageError
        If a gate does not hold and there is no reason, or for a version that cannot be a folder.
    IntegrityError
        If the version is there already with another model, or the bundle is damaged.
    """
    failed = [g.name for g in gates if not g.passed]
    if failed and not forced.strip():
        raise UsageError(
            f"{len(failed)} gates do not hold and no reason is given: {', '.join(failed)}.",
            where=f"release {version[:40]}",
            fix='--force "the reason"',
        )
    folder = release_folder(models_folder, version)
    model = release_of(bundle_folder)
    if folder.exists():
        if verified(folder)["release"] != model:
            raise IntegrityError(
                f"Version {version} has been released already, with another model.",
                where=str(folder),
                why="Scores already handed out name this version; it must keep meaning the same model.",
                fix=f"Train again for a new version, or move {folder} away if nothing relies on it.",
            )
        return folder
    text = card.encode()
    record: dict[str, Any] = {
        "format": FORMAT,
        "version": version,
        "release": model,
        "run_id": run_id,
        "forced": forced.strip(),
        "gates": [g.record() for g in gates],
        "card": bytes_entry(text),
    }
    if origin is not None:
        record["origin"] = dict(origin)
    told = goes_on.text().encode() if goes_on else b""
    if told:
        record["continuity"] = bytes_entry(told)
    with whole_folder(folder) as part:
        for name in (*read_json(bundle_folder / MANIFEST, FIX)["files"], MANIFEST):
            (part / name).write_bytes((bundle_folder / name).read_bytes())
        (part / CARD).write_bytes(text)
        if told:
            (part / CONTINUITY).write_bytes(told)
        (part / RECORD).write_bytes(pretty({**record, "seal": text_hash(canonical(record))}).encode())
        verified(part)
    return folder


def release_folder(models_folder: Path, version: str) -> Path:
    """Return where a version lies, whether it is there or not.

    Raises
    ------
    UsageError
        For a version that cannot be the name of a folder.
    """
    return models_folder / _checked(version, "version")


def released(models_folder: Path) -> tuple[str, ...]:
    """Return the versions that have been released, numbers in their order, then others by name."""
    found = [p.parent.name for p in models_folder.glob(f"*/{RECORD}") if _VERSION.fullmatch(p.parent.name)]
    return tuple(sorted(found, key=lambda v: (not v.isdigit(), int(v) if v.isdigit() else 0, v)))


def verified(folder: Path) -> dict[str, Any]:
    """Hold every byte of a release to its hashes and return its record.

    Raises
    ------
    IntegrityError
        Naming the first file that is missing, changed or foreign.
    """
    model = release_of(folder, beside=BESIDE)
    record = read_json(folder / RECORD, FIX)
    body = {k: v for k, v in record.items() if k != "seal"} if isinstance(record, dict) else {}
    if not body or record.get("seal") != text_hash(canonical(body)) or body.get("release") != model:
        raise IntegrityError("The release's record has been changed.", where=str(folder / RECORD), fix=FIX)
    if not (folder / CARD).is_file() or file_entry(folder / CARD) != body["card"]:
        raise IntegrityError("The model card has been changed.", where=str(folder / CARD), fix=FIX)
    there = file_entry(folder / CONTINUITY) if (folder / CONTINUITY).is_file() else None
    if there != body.get("continuity"):
        where = str(folder / CONTINUITY)
        raise IntegrityError("The map to the scores before has been changed.", where=where, fix=FIX)
    return body


def point(models_folder: Path, version: str) -> None:
    """Let ``<models_folder>/CHAMPION`` name a released version, by one atomic step.

    Raises
    ------
    IntegrityError
        If that version is not there or damaged.
    """
    verified(release_folder(models_folder, version))
    replace_file(models_folder / POINTER, version + "\n")


def pointed(models_folder: Path) -> str | None:
    """Return the version that the pointer file names, or None if there is no file.

    Raises
    ------
    IntegrityError
        If it holds anything but a version.
    """
    try:
        text = (models_folder / POINTER).read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    return _checked(text, str(models_folder / POINTER), IntegrityError)


def _checked(version: str, where: str, error: type[UsageError] | type[IntegrityError] = UsageError) -> str:
    if not _VERSION.fullmatch(version):
        raise error(
            f"'{version[:40]}' is not a version.",
            where=where,
            fix="A version is letters, digits, _, . and -, beginning with a letter or digit.",
        )
    return version
