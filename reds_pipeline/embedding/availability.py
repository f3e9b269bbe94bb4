"""Which encoders can be had on this machine, without loading any of them.

What belongs here: looking into a weights directory and asking whether the model hub answers.
What does not: loading weights, or choosing for the user what to do when nothing is there.
"""

from __future__ import annotations

import threading
from pathlib import Path

import requests

WEIGHTS_SUFFIX = ".safetensors"


def backbones_in(weights_dir: Path | None) -> list[str]:
    """Return the names for which ``weights_dir`` holds ``<name>.safetensors``, sorted.

    A directory that is missing, or None, holds none. Files in sub-directories do not count.
    """
    if weights_dir is None or not weights_dir.is_dir():
        return []
    return sorted(path.stem for path in weights_dir.glob(f"*{WEIGHTS_SUFFIX}") if path.is_file())


def hub_answers(seconds: float = 3.0, endpoint: str | None = None) -> bool:
    """Say whether the model hub answers within ``seconds``.

    Args:
        seconds: The longest this call may take, name lookup included.
        endpoint: Address of the hub; by default the one ``huggingface_hub`` is set up for, so
            a mirror or its offline mode is honoured.
    """
    if endpoint is None:
        from huggingface_hub import constants

        if constants.HF_HUB_OFFLINE:
            return False
        endpoint = constants.ENDPOINT
    answered = threading.Event()

    def ask() -> None:
        try:
            reply = requests.get(f"{endpoint}/api/models?limit=1", timeout=seconds)
            # A captive portal answers every address with a page of its own: only a list counts.
            if reply.ok and isinstance(reply.json(), list):
                answered.set()
        except (requests.RequestException, ValueError):
            return
        finally:
            finished.set()

    # The timeout of a request does not cover the name lookup, which may hang for much longer;
    # a daemon thread lets this call return on time and never holds the process back at its end.
    finished = threading.Event()
    threading.Thread(target=ask, name="ask the model hub", daemon=True).start()
    finished.wait(seconds)
    return answered.is_set()
