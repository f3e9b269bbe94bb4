"""A model hub on the loopback: just enough of its protocol for one file to be fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class ModelHub:
    """What the hub serves and what it was asked.

    Attributes:
        files: Contents by path, such as ``/owner/model/resolve/main/model.safetensors``.
        listing: Body of the answer to the listing of models.
        url: Its address while it runs.
        requests: Method and path of each request, in order.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    listing: bytes = b"[]"
    url: str = ""
    requests: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[ModelHub]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(body=True)

            def do_HEAD(self) -> None:
                self._answer(body=False)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing; the requests are kept in the list."""

            def _answer(self, body: bool) -> None:
                hub.requests.append(f"{self.command} {self.path}")
                path = self.path.partition("?")[0]
                content = hub.listing if path == "/api/models" else hub.files.get(path)
                self.send_response(404 if content is None else 200)
                content = content or b""
                self.send_header("Content-Length", str(len(content)))
                self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
                self.send_header("X-Repo-Commit", "0" * 40)
                self.end_headers()
                if body:
                    self.wfile.write(content)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
