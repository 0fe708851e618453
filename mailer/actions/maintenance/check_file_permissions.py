"""Check which of the service's files others on this machine can read: database, mail, keys and passwords."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from mailer.domain.health_check import HealthCheck, ok, warn
from mailer.settings.load import Settings
from mailer.store.database_files import database_file, find_files_readable_by_others

_WRITABLE_BY_OTHERS = 0o022


def check_files(settings: Settings, settings_file: Path) -> list[HealthCheck]:
    """One check of the folder and one of the files; nothing is opened or changed."""
    database = database_file(settings.database.url)
    folder = (database or settings.intake.spool).absolute().parent
    open_to_others = [str(file) for file in find_files_readable_by_others(database, settings.intake.spool)]
    open_to_others += [str(file) for file in _secret_files(settings) if file.is_file() and file.stat().st_mode & 0o077]
    if urlsplit(settings.database.url).password and settings_file.is_file() and settings_file.stat().st_mode & 0o077:
        open_to_others.append(f"{settings_file}, which holds the database's password")
    return [_check_folder(folder)] * folder.is_dir() + [_check_readable_files(open_to_others)]


def _check_folder(folder: Path) -> HealthCheck:
    mode = stat.S_IMODE(folder.stat().st_mode)
    message = f"{folder} has the mode {mode:04o}"
    if mode & _WRITABLE_BY_OTHERS:
        return warn("folder", f"{message}: others on this machine can put files into it", f"chmod 700 {folder}")
    if mode & 0o055:
        return ok("folder", f"{message}: others see the names of the files in it; 0700 would hide them, too")
    return ok("folder", f"{message}: nobody else sees into it")


def _check_readable_files(open_to_others: list[str]) -> HealthCheck:
    if not open_to_others:
        return ok("files", "database, spool, keys and passwords are for the service's eyes only")
    remedy = f"chmod go= {' '.join(one.partition(',')[0] for one in open_to_others)}"
    return warn("files", f"others on this machine can read {'; '.join(open_to_others)}", remedy)


def _secret_files(settings: Settings) -> Iterator[Path]:
    """Files with passwords and TLS keys. The secret and the DKIM keys have checks of their own."""
    yield from (one.password_file for one in settings.relay if one.password_file)
    yield from (one.password_file for one in settings.mailbox)
    yield from (one.secret_file for one in settings.provider if one.secret_file)
    if settings.intake.tls_key:
        yield settings.intake.tls_key
