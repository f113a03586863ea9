"""What a model is: the hash of its files. Nothing here loads one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hva_ml.errors import IntegrityError
from hva_ml.folders import MANIFEST, canonical, read_json, text_hash, verify

FORMAT = "hva-bundle-1"
FIX = "Restore the folder from a copy or from git, or train and promote again."


def release_of(folder: Path, *, beside: tuple[str, ...] = ()) -> str:
    """Verify a bundle's folder without loading it, and return its release hash.

    Raises
    ------
    IntegrityError
        As `Bundle.read`.
    """
    manifest = read_json(folder / MANIFEST, FIX)
    wrong = not isinstance(manifest, Mapping) or set(manifest) != {"format", "files", "release"}
    if wrong or manifest["format"] != FORMAT or manifest["release"] != release_hash(manifest["files"]):
        raise IntegrityError(
            f"The manifest is not a whole one of the form {FORMAT}.", where=str(folder / MANIFEST), fix=FIX
        )
    verify(folder, manifest["files"], FIX, beside)
    return str(manifest["release"])


def release_hash(entries: Mapping[str, Any]) -> str:
    """Return the hash of a model from the entries of its manifest."""
    return text_hash(canonical({"format": FORMAT, "files": entries}))
