"""The simulated vendor made small enough to be tried often, by texts of its pipeline file."""

from hva_ml.workspace import Workspace

PIPELINE = "dach_sample"
DATA = (
    ("\naccounts = 3000", "\naccounts = 500"),
    ("\nfirst = 2022-01-01", "\nfirst = 2023-07-01"),
    ("\nfirst = 2023-01-01", "\nfirst = 2024-01-01"),
)
TRAINING = (
    ("\ntrials = 12", "\ntrials = 2"),
    ("\ncalibrate_cutoffs = 3", "\nbootstrap = 20\ncalibrate_cutoffs = 3"),
)


def edit(ws: Workspace, *changes: tuple[str, str]) -> None:
    """Replace texts of the pipeline file, each of which must be there once."""
    path = ws.pipelines / f"{PIPELINE}.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
