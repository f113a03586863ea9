"""A real PostgreSQL server for the tests of a worker: on its own socket, with passwords, gone at the end."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c shared_buffers=64MB"


@dataclass(frozen=True)
class Postgres:
    """A server that runs in `folder`; its superuser is ``owner``."""

    programs: Path
    folder: Path
    password: str
    as_user: str | None

    def url(self, database: str = "postgres", user: str = "owner", password: str = "") -> str:
        return f"postgresql://{user}:{password or self.password}@/{database}?host={self.folder}"

    def sql(self, statements: str, database: str = "postgres", user: str = "owner") -> list[tuple[Any, ...]]:
        """Run statements as a user, and return the rows of the last one."""
        import psycopg

        with psycopg.connect(self.url(database, user), autocommit=True) as connection:
            cursor = connection.execute(statements)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def database(self, name: str) -> str:
        """Make a new empty database and return its URL."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def start(self) -> None:
        options = f"{OPTIONS} -c unix_socket_directories='{self.folder}'"
        self.run(
            "pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", options, "start"
        )

    def stop(self) -> None:
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")

    def run(self, *words: str) -> None:
        home = str(self.folder)
        subprocess.run(
            [str(self.programs / words[0]), *words[1:]], check=True, user=self.as_user, group=self.as_user,
            extra_groups=[] if self.as_user else None, cwd=home, stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip


def programs() -> Path | None:
    """Return where the server's programs lie."""
    found: Sequence[str] = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), reverse=True)
    initdb = found[0] if found else shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running server; skips where there is none to start."""
    pytest.importorskip("psycopg", reason='psycopg is not installed: pip install "hva-ml[postgres]"')
    home = programs()
    if home is None:
        pytest.skip("there is no PostgreSQL server: apt-get install postgresql")
    with running(home) as server:
        yield server


@contextmanager
def running(home: Path) -> Iterator[Postgres]:
    """Start a server of these programs, and remove it in the end."""
    # The server refuses to run as root, and its user cannot enter pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="hva-pg-"))
    as_user = "postgres" if os.geteuid() == 0 else None
    server = Postgres(home, folder, secrets.token_hex(12), as_user)
    try:
        (folder / "password").write_text(server.password, encoding="utf-8")
        if as_user:
            for path in (folder, folder / "password"):
                shutil.chown(path, as_user, as_user)
        server.run(
            "initdb", "-D", f"{folder}/data", "-U", "owner", "--pwfile", f"{folder}/password", "-A",
            "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        )  # fmt: skip
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
