"""Clients that post photos to one address as fast as they are answered.

What belongs here: the clients, in a process of their own, and what they saw. What does not: what
answers. The result is JSON on standard output.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_OK = 200
_PATIENCE_SECONDS = 60


def load(url: str, bodies: list[bytes], clients: int, seconds: float) -> dict[str, Any]:
    """Return the seconds of every answer, and how many were none."""
    address = urlsplit(url)
    numbers = count()
    latencies: list[float] = []
    failures: list[str] = []
    start = time.perf_counter()

    def ask(_client: int) -> None:
        connection = HTTPConnection(address.hostname or "", address.port, timeout=_PATIENCE_SECONDS)
        while (began := time.perf_counter()) < start + seconds:
            body = bodies[next(numbers) % len(bodies)]
            try:
                connection.request("POST", address.path, body, {"content-type": "image/jpeg"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException) as error:
                failures.append(type(error).__name__)
                connection.close()
                continue
            if answer.status == _OK:
                latencies.append(time.perf_counter() - began)
            else:
                failures.append(str(answer.status))
        connection.close()

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, range(clients)))
    took = time.perf_counter() - start
    return {"latencies": latencies, "failures": failures, "seconds": took}


if __name__ == "__main__":
    target, directory, client_count, duration = sys.argv[1:]
    photos = [path.read_bytes() for path in sorted(Path(directory).iterdir())]
    print(json.dumps(load(target, photos, int(client_count), float(duration))))
