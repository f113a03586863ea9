"""Alerts against a real server: off unless declared, no account in them, at most a line in the log."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.jobs.nights.conftest import PIPELINE, TONIGHT

import hva_ml as hva
from hva_ml.config import Alerts, parse
from hva_ml.errors import ConfigError, HvaError, RefusedError
from hva_ml.jobs.nights.alerts import message, send
from hva_ml.jobs.nights.stages import Stage
from hva_ml.jobs.nights.summary import Nightly
from hva_ml.jobs.nights.watch import Watch
from hva_ml.publication import AuditError, AuditRow

SECRET = "t0ken-in-the-address"
NOW = datetime(2025, 12, 31, 2, tzinfo=UTC)
GOOD = Nightly("toy", date(2025, 12, 31), "1f2e3d4c", "published", NOW, NOW, run_id="0" * 16, accounts=5)
BAD = replace(
    GOOD, outcome="refused", run_id="",
    error=RefusedError("Too few accounts.", where="scores", fix="Look.", ids=["A000123"]),
    audit=(AuditRow("HVS002", "found", "scores", "1 account is scored, last night 900."),),
)  # fmt: skip
FAILED = replace(GOOD, outcome="failed", error=HvaError("The disk is full."))
WATCH = Watch(
    {"HVM001": 0, "HVM002": 3, "HVM005": 1}, {"HVM008": 0}, {"HVM005": 1}, {"HVM002": 1.5}, 0.5, None, None,
    30.0, True,
)  # fmt: skip
ALARM = replace(GOOD, watch=WATCH)
UNDONE = replace(GOOD, stages=(Stage("deliver", "failed", note="1 of 2 sinks failed"),))


class Server:
    """Takes what is sent, and answers as it is told to."""

    def __init__(self, code: int) -> None:
        self.got: list[dict[str, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(code)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()
        self.address = f"json://127.0.0.1:{self._http.server_port}/{SECRET}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    opened: list[Server] = []

    def start(code: int = 200) -> Server:
        opened.append(Server(code))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, server: Callable[..., Server]) -> Server:
    one = server()
    monkeypatch.setenv("HVA_TEST_ALERTS", one.address)
    return one


ALERTS = Alerts(url_env="HVA_TEST_ALERTS")


@pytest.mark.parametrize("night", [BAD, FAILED, UNDONE], ids=lambda n: n.outcome)
def test_a_bad_night_is_told(told: Server, night: Nightly) -> None:
    assert send(ALERTS, night)
    (got,) = told.got
    assert got["title"] == f"hva: toy as of 2025-12-31: {night.outcome}"
    assert got["message"] == message(night)
    assert got["type"] == "failure"


def test_a_message_says_what_was_found_and_names_no_account() -> None:
    assert message(BAD) == (
        "The night of toy as of 2025-12-31 did not come out: Too few accounts.\n"
        "HVS002: 1 account is scored, last night 900.\n"
        "To mend it: Look.\n"
        "attempt 1f2e3d4c"
    )
    assert "deliver: 1 of 2 sinks failed" in message(UNDONE)
    assert len(message(replace(BAD, audit=BAD.audit * 100))) == 1500


def test_what_looks_like_markup_is_text_in_a_service_that_writes_html(
    server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = server()
    monkeypatch.setenv("HVA_TEST_ALERTS", f"{one.address}?format=html")
    error = HvaError("Column '<img src=x onerror=run()>' is missing.", fix="Look & mend.")
    assert send(ALERTS, replace(FAILED, error=error))
    (got,) = one.got
    assert "<img" not in got["message"]
    assert "&lt;img&nbsp;src=x&nbsp;onerror=run()&gt;" in got["message"].replace(" ", "&nbsp;")
    assert "Look &amp; mend." in got["message"].replace("&nbsp;", " ")


def test_a_new_alarm_is_told_by_code_and_number_once(told: Server) -> None:
    assert send(ALERTS, ALARM)
    (got,) = told.got
    assert got["title"] == "hva: toy as of 2025-12-31: published, alarm"
    assert got["message"] == (
        "The night of toy as of 2025-12-31 is published: 5 accounts, run 0000000000000000.\n"
        "Alarms of monitoring that are new: HVM005 (1).\n"
        "Open: HVM002 (3), HVM005 (1).\n"
        "To see them: hva monitor toy --as-of 2025-12-31\n"
        f"attempt 1f2e3d4c, run {'0' * 16}"
    )
    assert got["type"] == "warning"
    # While it stays open nobody is told again.
    assert not send(ALERTS, replace(ALARM, watch=replace(WATCH, raised={})))
    assert send(ALERTS, replace(ALARM, outcome="unchanged"))
    assert len(told.got) == 2


def test_off_by_default_and_quiet_on_a_good_night(told: Server) -> None:
    assert not send(Alerts(), BAD)
    assert not send(ALERTS, GOOD)
    assert not send(Alerts(url_env="HVA_TEST_ALERTS", on=("failed",)), BAD)
    assert told.got == []
    assert send(Alerts(url_env="HVA_TEST_ALERTS", on=("published",)), GOOD)
    assert told.got[0]["type"] == "success"


def test_several_addresses_are_all_told(
    told: Server, server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = server()
    monkeypatch.setenv("HVA_TEST_ALERTS", f" {told.address}  {other.address} ")
    assert send(ALERTS, BAD)
    assert (len(told.got), len(other.got)) == (1, 1)


def gone(_: Callable[..., Server]) -> str:
    one = Server(200)
    one.close()
    return one.address


FAILING: dict[str, Callable[[Callable[..., Server]], str]] = {
    "nobody there": gone,
    "an answer of trouble": lambda server: server(500).address,
    "no address at all": lambda _: f"nonsense://{SECRET}",
    "one good and one bad": lambda server: f"{server().address} nonsense://{SECRET}",
    "not set": lambda _: "",
}


@pytest.mark.parametrize("how", FAILING)
def test_an_alert_that_fails_is_a_line_without_its_address(
    how: str,
    server: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG", "hva_ml")
    monkeypatch.setenv("HVA_TEST_ALERTS", FAILING[how](server))
    assert not send(ALERTS, BAD)
    assert "HVA_TEST_ALERTS" in caplog.text
    out = capfd.readouterr()
    assert SECRET not in caplog.text + out.out + out.err


def test_a_library_that_breaks_or_is_missing_is_a_line_too(
    told: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError(SECRET)

    with monkeypatch.context() as patch:
        patch.setattr("apprise.Apprise.notify", broken)
        assert not send(ALERTS, BAD)
    with monkeypatch.context() as patch:
        patch.setitem(__import__("sys").modules, "apprise", None)
        assert not send(ALERTS, BAD)
    assert "The alert failed: ValueError." in caplog.text
    assert "hva-ml[alerts]" in caplog.text
    assert SECRET not in caplog.text


def declared(ws: hva.Workspace) -> None:
    path = ws.pipelines / f"{PIPELINE}.toml"
    path.write_text(path.read_text("utf-8") + '\n[alerts]\nurl_env = "HVA_TEST_ALERTS"\n', "utf-8")


@pytest.mark.parametrize("code", [200, 500])
def test_a_refused_night_is_refused_whether_the_alert_arrives_or_not(
    ws: hva.Workspace, server: Callable[..., Server], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = server(code)
    monkeypatch.setenv("HVA_TEST_ALERTS", one.address)
    declared(ws)
    sql = ws.queries(PIPELINE) / "events.sql"
    good = sql.read_text("utf-8")
    late = good.replace("FROM engagement", "FROM engagement WHERE imported_at < TIMESTAMP '2025-12-20'")
    sql.write_text(late, "utf-8")
    with pytest.raises(AuditError):
        hva.nightly(ws, PIPELINE, as_of=TONIGHT, dry_run=True)
    assert one.got == []
    with pytest.raises(AuditError):
        hva.nightly(ws, PIPELINE, as_of=TONIGHT)
    assert "HVS001" in one.got[0]["message"]
    sql.write_text(good, "utf-8")
    # Alerts change no number: it is the run that it would be without them.
    assert hva.nightly(ws, PIPELINE, as_of=TONIGHT).exit_code == 0
    assert len(one.got) == 1


@pytest.mark.parametrize("given", ["https://hooks.example.com/T0/B0/secret", "lower_case", "A B"])
def test_an_address_in_the_file_is_refused_and_not_repeated(ws: hva.Workspace, given: str) -> None:
    text = (ws.pipelines / f"{PIPELINE}.toml").read_text("utf-8") + f'\n[alerts]\nurl_env = "{given}"\n'
    with pytest.raises(ConfigError, match="name of an environment variable") as caught:
        parse(text, "toy.toml")
    assert given not in caught.value.text()
