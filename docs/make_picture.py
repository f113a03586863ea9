"""Take the picture of the README: the page of the best account of `hva demo`, by a headless Chromium."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import hva_ml as hva

PICTURE = Path(__file__).with_name("account.png")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def main() -> None:
    """Run the demonstration in a folder of its own and photograph the page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("A Chromium is needed to take the picture, e.g. Debian's package chromium.")
    with tempfile.TemporaryDirectory(prefix="hva-picture-") as folder:
        hva.init(folder)
        page = hva.demo(folder).explained.files[0]
        command = [browser, *FLAGS, f"--user-data-dir={folder}/browser", "--window-size=1000,1290"]
        subprocess.run([*command, f"--screenshot={PICTURE}", page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main()
