"""`mailer init`: the settings and the secret that a service begins with."""

from __future__ import annotations

import secrets
import shlex
from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.cli_context import print_message, report_errors
from mailer.cli.new_file import write_new


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write them; it is made where it is not there.")] = Path(),
) -> None:
    """Write what is missing: settings.toml, each key with its default and why, and a secret. Keeps what is there."""
    from mailer.errors import AlreadyExists, SettingsRefused
    from mailer.settings.load import DEFAULT_FILE, default_settings_toml, load_settings

    settings_file = folder / DEFAULT_FILE
    with report_errors():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            wrote = [] if settings_file.exists() else [_write_file(settings_file, default_settings_toml(), 0o600)]
            at_hand = load_settings(settings_file)
            secret = at_hand.service.secret_file
            if not secret.exists():
                wrote.append(_write_file(secret, _new_secret(secret, at_hand.database.url), 0o600))
        except OSError as error:
            raise SettingsRefused(f"{error.filename or folder}: cannot be written ({error.strerror})") from None
        kept = [file for file in (settings_file, secret) if file not in wrote]
        if not wrote:
            raise AlreadyExists(f"{_join_files(kept)}: already there; nothing was written")
    print_message(f"Wrote {_join_files(wrote)}." + (f" Kept {_join_files(kept)}, which was there." if kept else ""))
    if secret in wrote:
        print_message(
            "Keep a copy of the secret: it signs every link in letters already sent. Lose it, and none of them works."
        )
    elsewhere = f"`cd {shlex.quote(str(folder))}`, then " if folder.resolve() != Path.cwd() else ""
    print_message(
        f"Next: {elsewhere}look through settings.toml (name, domain, url and owner first), then `mailer serve`."
    )


def _new_secret(file: Path, database_url: str) -> str:
    """A secret's text; SecretUnreadable where the database was filled with another one, which is not to be replaced."""
    from mailer.domain.keyring import KEY_OCTETS, Keyring, write_keyring
    from mailer.errors import SecretUnreadable

    if _has_lists(database_url):
        raise SecretUnreadable(
            f"{file} is not there, but the database has lists: put your copy of the secret back. With a new one no "
            f"link in letters already sent works, and nobody knows who left; if that is what you want, move the "
            f"database away"
        )
    return write_keyring(Keyring(secrets.token_bytes(KEY_OCTETS), ((1, secrets.token_bytes(KEY_OCTETS)),)))


def _has_lists(database_url: str) -> bool:
    """Whether there is a list in the database, or it is of another version."""
    import asyncio

    from mailer.bootstrap import resource_folder
    from mailer.store import mailing_lists
    from mailer.store.database import Database
    from mailer.store.migration import schema_is_current

    async def any_list() -> bool:
        database = Database(database_url)
        try:
            return bool(await database.read(mailing_lists.list_all))
        finally:
            await database.close()

    current = schema_is_current(database_url, resource_folder("migrations"))
    return asyncio.run(any_list()) if current else current is False


def _write_file(file: Path, text: str, mode: int) -> Path:
    write_new(file, text, mode)
    return file


def _join_files(files: list[Path]) -> str:
    return " and ".join(map(str, files))
