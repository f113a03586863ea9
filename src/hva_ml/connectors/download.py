"""Downloads one file over https, bounded in size and time, and takes one member out of an archive safely."""

import hashlib
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from ssl import SSLError
from typing import BinaryIO, cast

from hva_ml.errors import IntegrityError, SourceError

MAX_DOWNLOAD_BYTES = 200_000_000
MAX_MEMBER_BYTES = 400_000_000
TIMEOUT_SECONDS = 60.0
_CHUNK = 1 << 20

Opener = Callable[[str, float], AbstractContextManager[BinaryIO]]
"""Opens an address with a timeout in seconds, and gives a readable stream of bytes."""


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        _refuse_plain(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def https(url: str, timeout: float) -> AbstractContextManager[BinaryIO]:
    """Open an https address; a redirect must stay on https, too.

    Raises
    ------
    SourceError
        If the address, or one it redirects to, is not https.
    OSError
        If there is no connection or no answer.
    """
    _refuse_plain(url)
    request = urllib.request.Request(url, headers={"User-Agent": "hva-ml"})
    opened = urllib.request.build_opener(_HttpsOnly()).open(request, timeout=timeout)
    return cast("AbstractContextManager[BinaryIO]", opened)


def save(url: str, target: Path, opener: Opener = https, limit: int = MAX_DOWNLOAD_BYTES) -> str:
    """Write the file at `url` to `target`.

    Returns
    -------
    str
        Its sha256.

    Raises
    ------
    SourceError
        If it cannot be reached, breaks off, or is larger than `limit` bytes.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with opener(url, TIMEOUT_SECONDS) as stream, target.open("wb") as out:
            expected = _announced(stream)
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise SourceError(
                        f"The download is larger than {limit:,} bytes.",
                        where=url,
                        why="It cannot be the file we know.",
                        fix="Look at the publisher's page; the file may have moved.",
                    )
                digest.update(chunk)
                out.write(chunk)
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError, SSLError) as error:
        code = f" (HTTP {error.code})" if isinstance(error, urllib.error.HTTPError) else ""
        raise SourceError(
            f"The download failed{code}.",
            where=url,
            fix="Check connection and proxy and try again, or set HVA_DATASETS to a folder that holds it.",
        ) from error
    if expected is not None and size != expected:
        raise SourceError(
            f"The download broke off: {size:,} of {expected:,} bytes came.", where=url, fix="Try again."
        )
    return digest.hexdigest()


def extract(archive: Path, member: str, folder: Path, limit: int = MAX_MEMBER_BYTES) -> Path:
    """Take the file named `member` (case does not count) out of a ZIP archive, into `folder`.

    Raises
    ------
    SourceError
        If it is no archive, a name in it leaves the folder, the member is missing, damaged, encrypted, or
        larger than `limit` bytes when unpacked, whatever the archive says about it.
    """
    target = folder / PurePosixPath(member).name
    try:
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                _refuse_outside(info.filename, archive)
            found = [i for i in packed.infolist() if i.filename.casefold() == member.casefold()]
            if len(found) != 1:
                raise _unexpected(f"it does not hold one file {member}", archive)
            if found[0].file_size > limit:
                raise _unexpected(f"unpacked it is larger than {limit:,} bytes", archive)
            with packed.open(found[0]) as stream, target.open("wb") as out:
                size = 0
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise _unexpected(f"unpacked it is larger than {limit:,} bytes", archive)
                    out.write(chunk)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise _unexpected("it is no readable ZIP archive", archive) from error
    return target


def sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def compare(path: Path, digest: str) -> str:
    """Hold a download against the hash recorded at `path` by an earlier one, and say what that proves.

    Raises
    ------
    IntegrityError
        If it differs.
    """
    if not path.is_file():
        return (
            f"We know no checksum published for the archive. Its sha256 {digest} was recorded with this "
            "first download, which itself was checked for structure only; later ones are compared with it."
        )
    known = path.read_text(encoding="utf-8").strip()
    if known != digest:
        raise IntegrityError(
            "The publisher's file is not the one fetched before: its sha256 differs.",
            where=str(path),
            why="Results on it would not compare with earlier ones.",
            fix=f"If the publisher announced a change, remove {path} and fetch again.",
        )
    return f"The archive's sha256 {digest} is the one recorded with the first download here."


def record(path: Path, digest: str) -> None:
    """Write a hash into a file, whole or not at all."""
    draft = path.with_name(path.name + ".part")
    draft.write_text(digest + "\n", encoding="utf-8")
    draft.replace(path)


@contextmanager
def temporary(parent: Path) -> Iterator[Path]:
    """Give a scratch folder on the same drive, removed afterwards whatever happens."""
    place = Path(tempfile.mkdtemp(prefix=".fetch-", dir=parent))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _announced(stream: BinaryIO) -> int | None:
    headers = getattr(stream, "headers", None)
    length = headers.get("Content-Length") if headers is not None else None
    return int(length) if length is not None and str(length).isdigit() else None


def _refuse_plain(url: str) -> None:
    if not url.lower().startswith("https://"):
        raise SourceError(
            "Only https addresses are downloaded from.",
            where=url,
            why="Over a plain connection anybody on the way could change the data.",
            fix="Use the https address of the publisher.",
        )


def _refuse_outside(name: str, archive: Path) -> None:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in name:
        raise _unexpected("a file name in it leaves its folder", archive)


def _unexpected(what: str, archive: Path) -> SourceError:
    return SourceError(
        f"The archive is not what it should be: {what}.",
        where=archive.name,
        why="Nothing of it was used.",
        fix="Look whether the publisher changed the file, or set HVA_DATASETS to a folder that holds it.",
    )
