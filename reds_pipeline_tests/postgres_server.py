"""What the Postgres image does, as a program for machines without an engine.

What belongs here: the steps of that image's entry point, with the programs that ``pgserver``
brings: making a database directory if there is none, with a password and the operator's scripts,
then serving. What does not: what the scripts do.

``python -m reds_pipeline_tests.postgres_server DIRECTORY PORT [SCRIPT...]`` serves on loopback, to
whoever knows ``POSTGRES_PASSWORD``, until it is interrupted.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pgserver

PROGRAMS = Path(pgserver.__file__).parent / "pginstall" / "bin"
# Postgres refuses to run as root.
USER = "pgserver"
# What a test writes need not survive a power cut.
IN_A_HURRY = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")


def become_ordinary_user(directory: Path) -> None:
    """Give the directory to a user who is not root, and go on as that one; nothing for others."""
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return
    from pgserver.utils import ensure_prefix_permissions, ensure_user_exists

    ensure_user_exists(USER)
    ensure_prefix_permissions(PROGRAMS)
    user = pwd.getpwnam(USER)
    os.chown(directory, user.pw_uid, user.pw_gid)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def run(program: str, *arguments: str) -> None:
    """Run a program of Postgres; what it prints is shown."""
    subprocess.run([PROGRAMS / program, *arguments], check=True, stdin=subprocess.DEVNULL)


def make_database_directory(directory: Path, scripts: Sequence[str]) -> None:
    """Make what the image makes when its volume is empty, with a server nobody else can reach."""
    password = directory.with_name(f"{directory.name}.password")
    password.write_text(os.environ["POSTGRES_PASSWORD"], encoding="utf-8")
    run(
        *("initdb", "--username=postgres", f"--pwfile={password}", "--no-sync"),
        *("--encoding=UTF8", "--locale=C", "--auth-host=scram-sha-256", "--auth-local=trust"),
        f"--pgdata={directory}",
    )
    password.unlink()
    options = f"-k {directory} -c listen_addresses='' {' '.join(IN_A_HURRY)}"
    log = f"--log={directory / 'making.log'}"
    run("pg_ctl", "start", "--wait", f"--pgdata={directory}", log, f"--options={options}")
    for script in scripts:
        run(
            *("psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--username=postgres"),
            *(f"--host={directory}", "--dbname=postgres", f"--file={script}"),
        )
    run("pg_ctl", "stop", "--wait", "--mode=fast", f"--pgdata={directory}")


def main(directory: Path, port: str, *scripts: str) -> None:
    """Serve; does not return."""
    become_ordinary_user(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    os.chdir(directory)
    if not (directory / "PG_VERSION").exists():
        make_database_directory(directory, scripts)
    command = [
        *(str(PROGRAMS / "postgres"), "-D", str(directory), "-k", str(directory), "-p", port),
        *("-c", "listen_addresses=127.0.0.1", *IN_A_HURRY),
    ]
    os.execv(command[0], command)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
