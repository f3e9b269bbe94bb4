"""The embedded instance: a town behind a real HTTP server on a loopback port.

Belongs here: sockets, the serving thread, and running it as a program. How requests are answered
is ``pixelfed`` or ``mastodon``; reading and spoiling the traffic is ``wiretap``.

Starlette on uvicorn in a thread, rather than the standard library's threading server: one event
loop closes idle connections at once when it stops and takes clients that hang up in its stride,
and a bounded thread pool draws pictures, however many connections are open.

Run in a process of its own, it prints one JSON line ``{"url", "token"}`` and serves until it is
stopped: ``python -m reds_pipeline.demo.instance --flavour mastodon --port 0``.
"""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, get_args

import uvicorn
from starlette.types import ASGIApp

from reds_pipeline.demo.live_posts import LivePosts
from reds_pipeline.demo.mastodon.application import MastodonApplication
from reds_pipeline.demo.mastodon.options import PERMISSIVE_ROBOTS_TXT, MastodonOptions
from reds_pipeline.demo.pixelfed.application import InstanceOptions, PixelfedApplication
from reds_pipeline.demo.posts import Author, Flavour, Post
from reds_pipeline.demo.town.town import DEFAULT_IMAGES_PER_CLASS, Town
from reds_pipeline.demo.wiretap import Fault, RequestRecord, Wiretap
from reds_pipeline.errors import RedsError

_STARTING_SECONDS = 10.0
_POLLING_SECONDS = 0.005
_HANGING_REQUEST_SECONDS = 2


class EmbeddedInstance:
    """An instance to run; use it as a context manager, or call ``start`` and ``stop``.

    Attributes:
        url: Address without a slash at the end.
        token: The bearer token of its one user.
    """

    def __init__(
        self,
        town: Town,
        options: InstanceOptions | MastodonOptions | None = None,
        *,
        port: int = 0,
        token: str | None = None,
    ) -> None:
        """Take a port and prepare to serve a town on it.

        Args:
            town: The town; it is not changed.
            options: Behaviour, of the town's flavour; by default that of Pixelfed 0.12.6 or of
                a Mastodon 4.5 that is open to guests.
            port: Loopback port, 0 for any free one.
            token: The token to accept; a new random one by default.

        Raises:
            RedsError: The port cannot be had.
            ValueError: The options are of another flavour than the town.
        """
        chosen = options or _default_options(town.flavour)
        self.token = token or secrets.token_urlsafe(48)
        self._posts = LivePosts(town.posts)
        self._socket = _bound_socket(port)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        application = _application(town, self._posts, chosen, self.url, self.token)
        self._wiretap = Wiretap(application, chosen.latency_seconds)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._wiretap,
                log_config=None,
                log_level="critical",
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=_HANGING_REQUEST_SECONDS,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="demo-instance", daemon=True
        )

    def start(self) -> EmbeddedInstance:
        """Serve in a thread; return once requests are answered. An instance starts only once."""
        self._thread.start()
        deadline = time.monotonic() + _STARTING_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RedsError(
                    "The demo instance did not start: its server gave up; run it again, "
                    "and report the error if it stays."
                )
            time.sleep(_POLLING_SECONDS)
        return self

    def stop(self) -> None:
        """Stop serving and free the port; harmless when it does not run."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def __enter__(self) -> EmbeddedInstance:
        """Serve."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self.stop()

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request answered since the start or the last reset, in order."""
        return self._wiretap.records

    def reset_requests(self) -> None:
        """Forget the recorded requests."""
        self._wiretap.reset_records()

    @property
    def posts(self) -> tuple[Post, ...]:
        """The posts that the instance holds now, in no particular order."""
        return self._posts.all()

    def put_post(self, post: Post) -> None:
        """Publish a post while running (``Town.new_post`` makes one), or edit the one it was."""
        self._posts.put(post)

    def remove_post(self, post_id: str) -> None:
        """Delete a post and its files while running; unknown ids are ignored."""
        self._posts.remove(post_id)

    def edit_author(self, account_id: str, **changes: Any) -> Author:
        """Change an author while running, and with it the author of all posts.

        Args:
            account_id: Whom to change.
            **changes: Fields of ``Author``: ``locked=True`` makes the account private,
                ``note="#nobot"`` objects, ``username="other"`` renames, ``suspended=True`` is the
                moderators' doing, ``deleted=True`` takes the author and all posts away.

        Returns:
            The author as it is now.

        Raises:
            KeyError: No such author has posted.
        """
        return self._posts.edit_author(account_id, **changes)

    def spoil(self, fault: Fault) -> None:
        """Answer some requests wrongly from now on."""
        self._wiretap.spoil(fault)

    def heal(self) -> None:
        """Answer rightly again."""
        self._wiretap.heal()


def _default_options(flavour: Flavour) -> InstanceOptions | MastodonOptions:
    return MastodonOptions() if flavour == "mastodon" else InstanceOptions()


def _application(
    town: Town,
    posts: LivePosts,
    options: InstanceOptions | MastodonOptions,
    base_url: str,
    token: str,
) -> ASGIApp:
    if isinstance(options, MastodonOptions) != (town.flavour == "mastodon"):
        raise ValueError(f"{type(options).__name__} cannot serve a town of {town.flavour}")
    if isinstance(options, MastodonOptions):
        return MastodonApplication(town, posts, options, base_url, token).starlette
    return PixelfedApplication(town, posts, options, base_url, token).starlette


def _bound_socket(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise RedsError(
            f"The demo instance cannot listen on port {port} ({error}): "
            "choose another port, or 0 for any free one."
        ) from error
    return listener


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reds_pipeline.demo.instance",
        description="Serve the demo town until stopped; prints its address and token as JSON.",
    )
    parser.add_argument(
        "--flavour", choices=get_args(Flavour), default="pixelfed", help="whose manners it has"
    )
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0: any free one")
    parser.add_argument("--token", help="token to accept; by default a new random one")
    parser.add_argument("--seed", type=int, default=0, help="decides who posts what and when")
    parser.add_argument(
        "--images-per-class",
        type=int,
        default=DEFAULT_IMAGES_PER_CLASS,
        help="clean pictures of each drawn class",
    )
    parser.add_argument(
        "--photos",
        type=Path,
        metavar="DIR",
        help="serve the photographs of DIR/<class>/ instead of drawn pictures",
    )
    parser.add_argument(
        "--permit-training",
        action="store_true",
        help="leave Mastodon's stock refusal of AI training out of robots.txt",
    )
    parser.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="delay before each answer"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    chosen = _parser().parse_args(arguments)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_received: stopping.set())
    try:
        town = Town.build(
            images_per_class=chosen.images_per_class,
            seed=chosen.seed,
            photos=chosen.photos,
            flavour=chosen.flavour,
        )
        options = replace(_default_options(chosen.flavour), latency_seconds=chosen.latency)
        if isinstance(options, MastodonOptions) and chosen.permit_training:
            options = replace(options, robots_txt=PERMISSIVE_ROBOTS_TXT)
        with EmbeddedInstance(town, options, port=chosen.port, token=chosen.token) as instance:
            sys.stdout.write(json.dumps({"url": instance.url, "token": instance.token}) + "\n")
            sys.stdout.flush()
            stopping.wait()
    except RedsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
