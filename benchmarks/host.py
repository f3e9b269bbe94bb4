"""A loopback host that costs as little as possible and answers after a fixed latency.

What belongs here: the timeline and the pictures that every measured program is given. What does
not: the quirks of real servers; those are the demo's (``reds_pipeline.demo.instance``). It runs in
a process of its own, so that no client shares Python's lock with it, and keeps the time itself:
``/clock`` says when the first and the last picture were asked for since it was asked last.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from benchmarks.pictures import variant

_FIRST_ID = 900_000_000_000_000_000
_JSON = "application/json"


class Host:
    """Answers by path.

    Args:
        directory: Where the drawn pictures are.
        count: Posts, each with one picture.
    """

    def __init__(self, directory: Path, count: int) -> None:
        self._drawn = [path.read_bytes() for path in sorted(directory.glob("*.jpg"))]
        self._count = count
        self._asked: list[float] = []
        self.url = ""

    def answer(self, target: str) -> tuple[int, str, bytes]:
        """Return status, content type and body."""
        parts = urlsplit(target)
        if parts.path.startswith("/media/"):
            self._asked.append(time.monotonic())
            number = int(Path(parts.path).stem)
            return 200, "image/jpeg", variant(self._drawn[number % len(self._drawn)], number)
        if parts.path == "/api/v1/timelines/tag/harbour":
            query = dict(parse_qsl(parts.query))
            return 200, _JSON, json.dumps(self._timeline(query)).encode()
        if parts.path == "/clock":
            return 200, _JSON, json.dumps(self._clock()).encode()
        return 404, _JSON, b"{}"

    def _clock(self) -> dict[str, float]:
        asked, self._asked = self._asked, []
        return {"requests": len(asked), "seconds": asked[-1] - asked[0] if asked else 0.0}

    def _timeline(self, query: dict[str, str]) -> list[dict[str, object]]:
        newest = min(int(query.get("max_id", _FIRST_ID + self._count)) - _FIRST_ID, self._count)
        limit = int(query.get("limit", "20"))
        return [self._post(number) for number in range(newest - 1, -1, -1)[:limit]]

    def _post(self, number: int) -> dict[str, object]:
        return {
            "id": str(_FIRST_ID + number),
            "url": f"{self.url}/@author{number % 97}/{_FIRST_ID + number}",
            "created_at": "2026-10-03T05:41:12.000Z",
            "in_reply_to_id": None,
            "reblog": None,
            "content": "<p>Boats in the #harbour at dawn, before anybody was awake</p>",
            "sensitive": False,
            "spoiler_text": "",
            "visibility": "public",
            "tags": [{"name": "harbour", "url": f"{self.url}/tags/harbour"}],
            "media_attachments": [
                {
                    "id": str(number),
                    "type": "image",
                    "url": f"{self.url}/media/{number}.jpg",
                    "meta": {"original": {"width": 1080, "height": 1080}},
                    "description": "Boats",
                }
            ],
            "account": {
                "id": str(number % 97),
                "username": f"author{number % 97}",
                "acct": f"author{number % 97}",
                "url": f"{self.url}/@author{number % 97}",
                "note": "",
                "locked": False,
                "discoverable": True,
                "indexable": True,
                "noindex": False,
            },
        }


async def serve(host: Host, latency: float) -> None:
    """Serve on a free port of 127.0.0.1, which is printed, until the process is ended."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode("ascii")
                if target != "/clock":
                    await asyncio.sleep(latency)
                status, content_type, body = host.answer(target)
                start = f"HTTP/1.1 {status} OK\r\nContent-Type: {content_type}\r\n"
                writer.write(f"{start}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    host.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    sys.stdout.write(host.url + "\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    pictures, posts, seconds = sys.argv[1:]
    asyncio.run(serve(Host(Path(pictures), int(posts)), float(seconds)))
