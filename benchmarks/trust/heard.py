"""Somebody who is told of nights: a service on this machine that writes HTML, as mail does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.trust.readers import forged, raw, shape
from benchmarks.trust.tally import Tally
from benchmarks.trust.texts import FORGED


@dataclass
class Heard:
    """What arrived, and where it is to be sent."""

    address: str = ""
    messages: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Heard]:
    """Yield what hears until the end."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        heard.address = f"json://127.0.0.1:{server.server_port}/?format=html"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()


def alerts(tally: Tally, plain: Heard, hostile: Heard) -> None:
    """Hold what was said of hostile nights to what was said of plain ones."""
    if not plain.messages or len(plain.messages) != len(hostile.messages):
        tally.wrong("other alerts", f"{len(hostile.messages)} instead of {len(plain.messages)}")
    for good, bad in zip(plain.messages, hostile.messages, strict=False):
        expected, (found, unsafe) = shape(good["message"])[0], shape(bad["message"])
        text = bad["title"] + bad["message"]
        loose = [*unsafe, *raw(text), *forged(text, FORGED)]
        if loose or set(found) - set(expected) or good["title"] != bad["title"]:
            tally.wrong("markup", f"alert {bad['title']!r}: {loose[:5]} {sorted(set(found) - set(expected))}")
        else:
            tally.good("alerts with the same markup")
