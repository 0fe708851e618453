"""`mailer init`: write settings.toml and the secret."""

from __future__ import annotations

import asyncio
import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import print_message, report_errors, write_new

if TYPE_CHECKING:
    from mailer.settings.load import Settings


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
            settings = load_settings(settings_file)
            secret = settings.service.secret_file
            if not secret.exists():
                wrote.append(_write_file(secret, _new_secret(settings), 0o600))
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


def _new_secret(settings: Settings) -> str:
    """A new secret's text. Raises SecretUnreadable if the database has lists, which belong to another secret."""
    from mailer.actions.maintenance.migrate import has_lists
    from mailer.domain.keyring import KEY_OCTETS, Keyring, write_keyring
    from mailer.errors import SecretUnreadable

    if asyncio.run(has_lists(settings)):
        raise SecretUnreadable(
            f"{settings.service.secret_file} is not there, but the database has lists: put your copy of the secret "
            f"back. With a new one no link in letters already sent works, and nobody knows who left; if that is what "
            f"you want, move the database away"
        )
    return write_keyring(Keyring(secrets.token_bytes(KEY_OCTETS), ((1, secrets.token_bytes(KEY_OCTETS)),)))


def _write_file(file: Path, text: str, mode: int) -> Path:
    write_new(file, text, mode)
    return file


def _join_files(files: list[Path]) -> str:
    return " and ".join(map(str, files))
