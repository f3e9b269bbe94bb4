"""A web hook on this machine that takes notices, as an operator's would.

What belongs here: the server. What does not: what is sent to it.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

SECRET = "pa55word"


class WebHook(ThreadingHTTPServer):
    """Takes what is posted, or answers with an error while ``status`` says so."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.taken: list[dict[str, str]] = []
        self.status = 200

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def address(self) -> str:
        return f"json://ada:{SECRET}@127.0.0.1:{self.server_port}/hook/{SECRET}"


class _Hook(BaseHTTPRequestHandler):
    server: WebHook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.taken.append(body)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""
