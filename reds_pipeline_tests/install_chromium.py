"""Put a Chromium on this machine: ``python -m reds_pipeline_tests.install_chromium``.

What belongs here: finding the browser that the tests drive, and installing Debian's package where
there is none. What does not: driving it (``web/browser``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGE = "chromium"
MISSING = (
    "The tests of the pages need Chromium, and none was found here: install it with "
    f"`apt-get install {PACKAGE}` as root, or any Chrome, and run this again."
)


def chromium_path() -> str | None:
    """Return where a Chromium or Chrome is on this machine, None if there is none."""
    return next((path for path in map(shutil.which, NAMES) if path is not None), None)


def install_package() -> None:
    """Try Debian's package; whether it worked shows in whether a browser is found afterwards."""
    quietly = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
    for arguments in (("update",), ("install", "--no-install-recommends", "-y", PACKAGE)):
        subprocess.run([*quietly, *arguments], stdin=subprocess.DEVNULL, timeout=600, check=False)


def main() -> int:
    """Install a browser if none is there, say in one line what was done; 0 if there is one."""
    found = chromium_path()
    if found is not None:
        sys.stdout.write(f"Chromium is already there: {found}\n")
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        install_package()
    found = chromium_path()
    if found is None:
        sys.stderr.write(f"{MISSING}\n")
        return 1
    sys.stdout.write(f"Chromium was installed from Debian's package {PACKAGE}: {found}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
