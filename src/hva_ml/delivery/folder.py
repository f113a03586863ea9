"""A sink of Parquet files: whole run folders in another place, with a CURRENT pointer of its own."""

import shutil
from pathlib import Path

from hva_ml.delivery.current import Current
from hva_ml.delivery.fingerprint import Fingerprint
from hva_ml.delivery.parcel import Parcel
from hva_ml.delivery.shapes import SCHEMAS
from hva_ml.errors import IntegrityError
from hva_ml.folders import MANIFEST, file_entry, verify, whole_folder
from hva_ml.publication import Published, current, reading
from hva_ml.publication.retention import remove, retention
from hva_ml.publication.runs import clear_parts, is_whole, point
from hva_ml.publication.stale import clear, mark


class FolderSink:
    """A folder that ``hva_ml.publication.read`` reads as it reads the workspace's own.

    Parameters
    ----------
    folder : pathlib.Path
        ``<path>/<pipeline>``.
    pipeline, currency : str
        As of the pipeline.
    """

    def __init__(self, folder: Path, pipeline: str, currency: str) -> None:
        self._folder, self._pipeline, self._currency = folder, pipeline, currency

    def current(self) -> Current | None:
        """Return which run readers see, None before the first, or if the pointer is damaged."""
        try:
            run = current(self._folder)
        except IntegrityError:
            return None
        return None if run is None else self._told(run)

    def holds(self, parcel: Parcel, shown: Current) -> bool:
        """Return whether readers see this run, every byte of it, and whether it is stale."""
        copy = self._folder / reading.RUNS / shown.run_id
        return parcel.current.told_as(shown) and _same(copy, parcel.run.path)

    def deliver(self, parcel: Parcel) -> Current:
        """Copy a run folder, hold the copy to its manifest, and let the pointer name it.

        The run before it stays for those who are reading it; older ones go.

        Raises
        ------
        IntegrityError
            If the published run is damaged, or the copy is not the same.
        """
        run, before = parcel.run, self.current()
        clear_parts(self._folder)
        home = self._folder / reading.RUNS / run.run_id
        if not _same(home, run.path):
            shutil.rmtree(home, ignore_errors=True)
            with whole_folder(home) as part:
                for file in (MANIFEST, *reading.manifest_of(run.path)["files"]):
                    shutil.copyfile(run.path / file, part / file)
                verify(part, reading.manifest_of(run.path)["files"], "hva deliver again.")
        if run.stale is not None:
            mark(self._folder, run.run_id, run.stale)
        else:
            clear(self._folder, "9999-12-31")
        point(self._folder, home)
        needed = {run.run_id: "shown"} | ({before.run_id: "shown before"} if before else {})
        for old in retention(self._folder, needed, keep=0).goes:
            remove(old)
        return self._told(reading.current(self._folder) or run)

    def _told(self, run: Published) -> Current:
        parcel = Parcel(self._folder, run, self._pipeline, self._currency)
        rows = {t: Fingerprint(run.rows[t], "") for t in SCHEMAS if t in run.rows}
        return Current(**{**vars(parcel.current), "contents": rows})


def _same(copy: Path, run: Path) -> bool:
    if not (copy / MANIFEST).is_file() or file_entry(copy / MANIFEST) != file_entry(run / MANIFEST):
        return False
    return is_whole(copy, reading.manifest_of(run)["identity"])
