"""The only file that knows the folders data/, models/, mlruns/ and pipelines/. It computes nothing."""

import os
from dataclasses import dataclass
from pathlib import Path

from hva_ml.config import NAME, PipelineConfig, load
from hva_ml.errors import UsageError, WorkspaceError, nearest, one_line

MARK = "pipelines"


@dataclass(frozen=True)
class Workspace:
    """A folder with pipelines/, data/, models/ and mlruns/.

    Examples
    --------
    >>> Workspace(Path("/srv/hva")).scores("dach_sample").as_posix()
    '/srv/hva/data/scores/dach_sample'
    """

    root: Path

    @classmethod
    def find(cls, root: str | Path | None = None) -> "Workspace":
        """Return the workspace at `root`, else ``HVA_HOME``, else the nearest one above this folder.

        Raises
        ------
        WorkspaceError
            If there is none; the message names ``hva init``.
        """
        named = root or os.environ.get("HVA_HOME")
        if named:
            place = readable(Path(named).expanduser().resolve())
            if (place / MARK).is_dir():
                return cls(place)
            raise WorkspaceError(
                "This folder is not a workspace: it has no pipelines/ folder.",
                where=str(place),
                fix=f"hva init {place}",
            )
        here = readable(Path.cwd().resolve())
        for place in (here, *here.parents):
            if (place / MARK).is_dir() and any((place / MARK).glob("*.toml")):
                return cls(place)
        raise WorkspaceError(
            "There is no workspace here or in any folder above.",
            where=str(here),
            why="Pipelines, data, models and runs are kept together in one.",
            fix="hva init .   (or name one with --root DIR or HVA_HOME)",
        )

    @property
    def pipelines(self) -> Path:
        """Folder of the pipeline files."""
        return self.root / "pipelines"

    @property
    def mlruns(self) -> Path:
        """Folder of the MLflow database, its artifacts and the Optuna studies."""
        return self.root / "mlruns"

    @property
    def tracking_uri(self) -> str:
        """MLflow tracking URI: ``MLFLOW_TRACKING_URI`` if set, else the SQLite file of the workspace."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.mlruns / 'mlflow.db'}"

    @property
    def optuna_uri(self) -> str:
        """Optuna storage URI, braces doubled: Optuna reads single ones as places for its version."""
        return f"sqlite:///{self.mlruns / 'optuna.db'}".replace("{", "{{").replace("}", "}}")

    def names(self) -> tuple[str, ...]:
        """Names of all pipelines, sorted."""
        return tuple(sorted(p.stem for p in self.pipelines.glob("*.toml")))

    def config(self, pipeline: str) -> PipelineConfig:
        """Read ``pipelines/<pipeline>.toml``.

        Raises
        ------
        UsageError
            If there is no such pipeline; the nearest one is named.
        """
        if not NAME.fullmatch(pipeline) or not (self.pipelines / f"{pipeline}.toml").is_file():
            raise UsageError(
                f"There is no pipeline '{pipeline[:60]}'.{nearest(pipeline, self.names())}",
                where=str(self.pipelines),
                fix=f"Use one of: {', '.join(self.names()) or 'none yet; run hva init'}.",
            )
        return load(self.pipelines / f"{pipeline}.toml")

    def queries(self, pipeline: str) -> Path:
        """Folder of the pipeline's source queries."""
        return self.pipelines / pipeline

    def raw(self, pipeline: str) -> Path:
        """Folder for data as extracted."""
        return self.root / "data" / "raw" / pipeline

    def training(self, pipeline: str) -> Path:
        """Folder for training sets and the evidence of each run."""
        return self.root / "data" / "training" / pipeline

    def scores(self, pipeline: str) -> Path:
        """Folder of the published scores."""
        return self.root / "data" / "scores" / pipeline

    def history(self, pipeline: str) -> Path:
        """Folder of what is kept of every night for monitoring; it outlives the runs beside it."""
        return self.scores(pipeline) / "history"

    def models(self, pipeline: str) -> Path:
        """Folder of the released models."""
        return self.root / "models" / pipeline

    def ledger(self, pipeline: str) -> Path:
        """Folder of the rows that nights have read, a copy that can be made again at any time."""
        return self.root / "data" / "ledger" / pipeline

    def reports(self, pipeline: str) -> Path:
        """Folder of the reports made for people."""
        return self.root / "data" / "reports" / pipeline

    def lock(self, pipeline: str) -> Path:
        """File that one writer of the pipeline holds at a time."""
        return self.root / "data" / ".locks" / f"{pipeline}.lock"

    @property
    def scratch(self) -> Path:
        """Folder for what engines cannot hold in memory; it is there only while one works."""
        return self.root / "data" / ".scratch"

    def inside(self, path: str) -> Path:
        """Resolve a path written in a pipeline file; relative ones start at the root.

        Raises
        ------
        WorkspaceError
            If a relative path leaves the workspace.
        """
        given = Path(path).expanduser()
        if given.is_absolute():
            return given
        place = (self.root / given).resolve()
        if not place.is_relative_to(self.root):
            raise WorkspaceError(
                "A relative path must stay inside the workspace.",
                where=path,
                fix="Write the whole path beginning with / if the file really lies elsewhere.",
            )
        return place


def no_database(uri: str) -> bool:
    """Return whether a ``sqlite:///`` URI names a file that holds anything but a SQLite database.

    Examples
    --------
    >>> no_database("sqlite:////nowhere/mlflow.db")
    False
    """
    path = Path(uri.removeprefix("sqlite:///"))
    if not uri.startswith("sqlite:///") or not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        return file.read(16) != b"SQLite format 3\x00"


def readable(place: Path) -> Path:
    """Return the folder of a workspace, if everybody who is told of it can read its name.

    Raises
    ------
    WorkspaceError
        If the name holds control characters, marks of direction, or bytes that are no UTF-8.
    """
    if one_line(str(place)) == str(place):
        return place
    raise WorkspaceError(
        "The name of this folder holds characters that cannot be shown, or bytes that are no UTF-8.",
        where=str(place),
        why="Logs, databases and model files name the folder, and not all of them can hold such a name.",
        fix="Rename the folder, or choose another one.",
    )
