"""`mailer explain`: show how the service classifies mails in files; needs neither settings nor database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, report_errors

if TYPE_CHECKING:
    from mailer.actions.inbound.explain_mail import MailExplanation
    from mailer.domain.keyring import Keyring

_STANDARD_INPUT = "-"
_MOST_OCTETS = 32 * 2**20


def explain_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Mails; - reads standard input.")],
    as_json: AsJson = False,
) -> None:
    """Tell what mails are (bounce, complaint, automatic reply, command, answer) and what they ask for."""
    from mailer.actions.inbound.explain_mail import explain_mail
    from mailer.mail.inbound.command_words import load_vocabulary

    unread = False
    with report_errors():
        keyring = _keyring()
        for file in files:
            try:
                raw = _read_octets(file)
            except OSError as error:
                print_message(f"mailer: {file}: {error.strerror}")
                unread = True
                continue
            explanation = explain_mail(raw, load_vocabulary(Path(__file__).parents[1] / "locale"), keyring)
            print_json(_explanation_as_json(file, explanation)) if as_json else typer.echo(
                _format_explanation(file, explanation)
            )
    if unread:
        raise typer.Exit(1)


def _keyring() -> Keyring | None:
    """The keyring of the current settings, by which forged return paths are recognised; None if there is none."""
    from mailer.bootstrap import read_keyring
    from mailer.errors import SecretUnreadable, SettingsRefused
    from mailer.settings.load import load_settings

    try:
        return read_keyring(load_settings().service.secret_file)
    except (SettingsRefused, SecretUnreadable):
        return None


def _read_octets(file: str) -> bytes:
    if file == _STANDARD_INPUT:
        return sys.stdin.buffer.read(_MOST_OCTETS)
    with Path(file).open("rb") as opened:
        return opened.read(_MOST_OCTETS)


def _explanation_as_json(file: str, explanation: MailExplanation) -> dict[str, object]:
    return {
        "file": file,
        "kind": explanation.kind,
        "recipients": [
            {
                "address": one.address,
                "action": one.action,
                "status": one.status,
                "verdict": one.severity,
                "reason": one.reason,
            }
            for one in explanation.recipients
        ],
        "complaint": {"type": explanation.complaint_type} if explanation.complaint_type else None,
        "commands": list(explanation.commands),
        "return_path": explanation.return_path,
        "why": explanation.why,
    }


def _format_explanation(file: str, explanation: MailExplanation) -> str:
    """`rosa.eml: command unsubscribe. A whole line is nothing but a command.`"""
    about = ", ".join(
        (*explanation.commands, *(f"{one.address} {one.severity} {one.reason}" for one in explanation.recipients))
    )
    return f"{file}: {explanation.kind}{' ' if about else ''}{about}. {explanation.why}"
