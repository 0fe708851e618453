"""`mailer explain`: what the service would make of mails in files, without settings and database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, say, show_json, told_plainly

if TYPE_CHECKING:
    from mailer.actions.inbound.explain_mail import Explained
    from mailer.domain.keyring import Keyring

_STANDARD_INPUT = "-"
_MOST_OCTETS = 32 * 2**20


def explain_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Mails; - reads standard input.")],
    as_json: AsJson = False,
) -> None:
    """Tell what mails are (bounce, complaint, automatic reply, command, answer) and what they ask for."""
    from mailer.actions.inbound.explain_mail import explain
    from mailer.mail.inbound.command_words import vocabulary_in

    unread = False
    with told_plainly():
        keyring = _keyring()
        for file in files:
            try:
                raw = _octets(file)
            except OSError as trouble:
                say(f"mailer: {file}: {trouble.strerror}")
                unread = True
                continue
            told = explain(raw, vocabulary_in(Path(__file__).parents[1] / "locale"), keyring)
            show_json(_values(file, told)) if as_json else typer.echo(_line(file, told))
    if unread:
        raise typer.Exit(1)


def _keyring() -> Keyring | None:
    """The secret, where there is one beside the settings: it tells a forged return path from a genuine one.

    Mails are explained without it as well, and on machines that are set up half.
    """
    from mailer.app import read_keyring
    from mailer.errors import SecretUnreadable, SettingsRefused
    from mailer.settings.load import load_settings

    try:
        return read_keyring(load_settings().service.secret_file)
    except (SettingsRefused, SecretUnreadable):
        return None


def _octets(file: str) -> bytes:
    if file == _STANDARD_INPUT:
        return sys.stdin.buffer.read(_MOST_OCTETS)
    with Path(file).open("rb") as opened:
        return opened.read(_MOST_OCTETS)


def _values(file: str, told: Explained) -> dict[str, object]:
    return {
        "file": file,
        "kind": told.kind,
        "recipients": [
            {
                "address": one.address,
                "action": one.action,
                "status": one.status,
                "verdict": one.weight,
                "reason": one.reason,
            }
            for one in told.recipients
        ],
        "complaint": {"type": told.complaint_type} if told.complaint_type else None,
        "commands": list(told.commands),
        "return_path": told.return_path,
        "why": told.why,
    }


def _line(file: str, told: Explained) -> str:
    """`rosa.eml: command unsubscribe. A whole line is nothing but a command.`"""
    about = ", ".join((*told.commands, *(f"{one.address} {one.weight} {one.reason}" for one in told.recipients)))
    return f"{file}: {told.kind}{' ' if about else ''}{about}. {told.why}"
