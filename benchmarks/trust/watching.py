"""What is hostile, and what of it is run, read, or written outside of where it was let loose."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from benchmarks.trust.tally import Tally
from hva_ml.errors import HvaError

SECRET = "kept-from-everybody"


def payloads(outside: Path) -> tuple[str, ...]:
    """Return the hostile texts; a marker outside the workspace shows what was run, a secret what was read."""
    marker, secret = outside / "marker", outside / "secret.txt"
    stolen = f"SELECT content FROM read_text('{secret}')"  # noqa: S608  (it must not be run)
    return (
        f"x\"; COPY (SELECT 1) TO '{marker}'; --",
        f"x'; COPY (SELECT 1) TO '{marker}'; --",
        f"x' UNION ALL {stolen} --",
        f"({stolen})",
        f"x\"; ATTACH '{marker}' AS y; DROP TABLE accounts; --",
        f"$(touch {marker})",
        f"`touch {marker}`; touch {marker} | touch {marker}",
        f"{{{{ ''.__class__.__mro__[1].__subclasses__() }}}} {{% include '{secret}' %}}",
        "{0.__class__.__init__.__globals__} %(x)s %n",
        f"__import__('os').system('touch {marker}')",
        "../../../../outside",
        f"{secret}",
        "a\x00b\x1b[2Jc\u202ed\n[gates]\nmin_roc_auc = 0",
        "аccounts",
        "x" * 20_000,
        "",
    )


class Watch:
    """What the process writes elsewhere than in its workspace or a temporary folder, and what it starts."""

    def __init__(self) -> None:
        self.root: Path | None = None
        self.seen: list[str] = []
        self.passing: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, told: tuple[Any, ...]) -> None:
        if self.root is None:
            return
        if event == "tempfile.mkdtemp":
            self.passing.append(str(told[0]))
        elif event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn"):
            self.seen.append(event)
        elif event == "open" and isinstance(told[0], str | bytes) and "w" in str(told[1]):
            path = Path(told[0] if isinstance(told[0], str) else told[0].decode(errors="replace"))
            ours = path.is_relative_to(self.root) or any(map(path.is_relative_to, self.passing))
            if path.is_absolute() and not ours and "hva-" not in str(path):
                self.seen.append(f"writes {path}")

    @contextmanager
    def over(self, root: Path) -> Iterator[list[str]]:
        """Watch while the block runs."""
        self.root, self.seen = root, []
        try:
            yield self.seen
        finally:
            self.root = None


def judged(tally: Tally, watch: Watch, root: Path, outside: Path, what: str, ask: Callable[[], bool]) -> None:
    """Count how a question ended that says itself whether it was refused, or raises what refuses it."""
    said, refused = StringIO(), False
    with watch.over(root) as seen, redirect_stdout(said), redirect_stderr(said):
        try:
            refused = ask()
        except HvaError as error:
            refused = True
            print(error)
        except Exception as error:
            tally.wrong("not told", f"{what}: {type(error).__name__}: {error}"[:300])
            return
    left = sorted(p.name for p in outside.iterdir())
    if seen or left != ["secret.txt"] or SECRET in said.getvalue():
        tally.wrong("run, read or written", f"{what}: {seen[:2]} {left}")
        for path in outside.iterdir():
            if path.name != "secret.txt":
                path.unlink()
    else:
        tally.good("refused with words" if refused else "taken as text")
