"""A folder that is there whole or not at all, and a manifest that knows every byte in it.

Nothing here knows what the files mean.
"""

import hashlib
import json
import math
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hva_ml.errors import IntegrityError

MANIFEST = "manifest.json"
PART = ".part"
_BLOCK = 1 << 20


def canonical(record: Any) -> str:
    """Return JSON that is the same for the same content: sorted keys, exact floats, NaN as null.

    Raises
    ------
    ValueError
        For an infinite number, which JSON cannot hold.

    Examples
    --------
    >>> canonical({"b": 0.1, "a": float("nan")})
    '{"a":null,"b":0.1}'
    """
    return json.dumps(
        _without_nan(record), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def pretty(record: Any) -> str:
    """Return `canonical` content, spread over lines for readers."""
    return (
        json.dumps(_without_nan(record), sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    )


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, Mapping):
        return {str(k): _without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    return value


def text_hash(text: str) -> str:
    """Return the sha256 of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_entry(path: Path) -> dict[str, object]:
    """Return sha256 and size in bytes of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return {"sha256": digest.hexdigest(), "size": size}


def bytes_entry(content: bytes) -> dict[str, object]:
    """Return sha256 and size of bytes, as `file_entry` would once they are written."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`; when the block ends, everything is synced and takes that name.

    If the block raises, nothing remains; if the machine stops, a ``.<name>.*.part`` folder remains that no
    reader looks at.

    Raises
    ------
    IntegrityError
        If `folder` has appeared in the meantime.
    """
    _make_for_good(folder.parent)
    part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}{PART}")
    part.mkdir()
    try:
        yield part
        for file in sorted(part.rglob("*")):
            sync(file)
        sync(part)
        try:
            part.rename(folder)
        except OSError as error:
            raise IntegrityError(
                "The folder to be written appeared while it was being written.",
                where=str(folder),
                why="Folders that others rely on are never overwritten.",
                fix="Let one run finish before the next one begins.",
            ) from error
        sync(folder.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _make_for_good(folder: Path) -> None:
    """Make a folder and those above it; its name outlives a power cut once the folder above is synced."""
    new = [place for place in (folder, *folder.parents) if not place.is_dir()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in new:
        sync(place.parent)


def sync(path: Path) -> None:
    """Make a file or folder survive a power cut; folders cannot be synced on Windows."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: Path, content: str | bytes) -> None:
    """Replace a small file by one atomic step, so that a reader sees the old or the new content."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync(path.parent)


def read_json(path: Path, fix: str) -> Any:
    """Read a JSON file that we wrote.

    Raises
    ------
    IntegrityError
        If it is missing or no JSON, says one key twice, or holds a number or text that is none; the message
        names it.
    """
    try:
        text = path.read_bytes().decode()
        found = json.loads(text, object_pairs_hook=_once, parse_float=_finite)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
        return found
    except FileNotFoundError as error:
        raise IntegrityError("A file is missing.", where=str(path), fix=fix) from error
    except (OSError, ValueError, RecursionError) as error:
        raise IntegrityError("A file cannot be read as JSON.", where=str(path), fix=fix) from error


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is infinite")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def verify(folder: Path, files: Mapping[str, Any], fix: str, beside: Iterable[str] = ()) -> None:
    """Hold every file of a folder to its manifest.

    Parameters
    ----------
    folder : Path
        The folder; its ``manifest.json`` itself is not compared.
    files : mapping of str to mapping
        ``sha256`` and ``size`` by file name.
    fix : str
        What mends it, for the error.
    beside : iterable of str
        Names that may lie there too and are answered for elsewhere.

    Raises
    ------
    IntegrityError
        Naming the first file that is missing, changed or not of the manifest.
    """
    found = {p.name for p in folder.iterdir()} if folder.is_dir() else set()
    why = "Only exactly what was written can be trusted to give the numbers that were judged."
    for name in sorted(files):
        if name not in found or not (folder / name).is_file():
            raise IntegrityError("A file is missing.", where=str(folder / name), why=why, fix=fix)
        if file_entry(folder / name) != files[name]:
            raise IntegrityError("A file has been changed.", where=str(folder / name), why=why, fix=fix)
    for name in sorted(found - set(files) - {MANIFEST} - set(beside)):
        raise IntegrityError(
            "A file lies there that does not belong to it.", where=str(folder / name), why=why, fix=fix
        )
