"""`mailer delivery ...`: the letters that a person got, and what became of them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action

if TYPE_CHECKING:
    from mailer.actions.campaigns.show_letter import ShownLetter
    from mailer.domain.letters.delivery_record import DeliveryRecord

deliveries = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The letters that a person got.")


@deliveries.command("show")
def show(
    address: Annotated[str, typer.Argument(help="Whose letter.")],
    campaign: Annotated[int, typer.Option(help="The number of the campaign.")],
    is_raw: Annotated[bool, typer.Option("--raw", help="Only the octets that the relay was handed.")] = False,
    is_html: Annotated[bool, typer.Option("--html", help="Only its HTML part.")] = False,
    is_text: Annotated[bool, typer.Option("--text", help="Only its text part.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the letter that somebody got, and what became of it.

    Its links are the reader's own: whoever opens the one to unsubscribe can unsubscribe them.
    """
    from mailer.actions.campaigns.show_letter import show_letter
    from mailer.mail.message.letter import decode_part

    if sum((is_raw, is_html, is_text, as_json)) > 1:
        print_message("mailer: one of --raw, --html, --text and --json at a time")
        raise typer.Exit(2)
    shown = run_action(lambda app, actor: show_letter(app, actor, campaign, address))
    for one in _remarks(shown):
        print_message(one)
    if as_json:
        print_json(_as_json(shown))
    elif shown.letter is None:
        if is_raw or is_html or is_text:
            raise typer.Exit(1)
        _print_facts(shown)
    elif is_raw:
        sys.stdout.buffer.write(shown.letter.content)
    elif is_html or is_text:
        sys.stdout.buffer.write(decode_part(shown.letter, "html" if is_html else "text").encode())
    else:
        _print_facts(shown)
        typer.echo(f"\n{decode_part(shown.letter, 'text')}", nl=False)


@deliveries.command("ls")
def ls(address: Annotated[str, typer.Argument(help="Whose letters.")], as_json: AsJson = False) -> None:
    """All letters to a person, newest first: those of campaigns, then what the service wrote itself."""
    from mailer.actions.campaigns.show_letter import list_letters

    found = run_action(lambda app, actor: list_letters(app, actor, address))
    records = [*found.of_campaigns, *found.notices]
    if as_json:
        print_json([_record_as_json(one) | {"list": found.list_names.get(one.mailing_list_id or 0)} for one in records])
        return
    for one in records:
        what = f"campaign {one.campaign_id}\t{one.subject}" if one.campaign_id else f"notice\t{one.kind}"
        at = one.answered_at or one.queued_at
        typer.echo(f"{at:%Y-%m-%d %H:%M}\t{one.state}\t{what}\t{_words_of_relay(one)}" if at else f"-\t{what}")


def _remarks(shown: ShownLetter) -> list[str]:
    if shown.letter is None:
        return [f"Nothing was handed to a relay: the letter is {shown.record.state}."]
    if not shown.is_kept:
        return ["This is the letter as it would be handed now: the next try is written anew."]
    return [f"It may differ in some octets from what was sent: {one}." for one in shown.changes]


def _print_facts(shown: ShownLetter) -> None:
    one = shown.record
    facts: dict[str, object] = {
        "campaign": f"{one.campaign_id}\t{one.subject}",
        "to": shown.address,
        "state": one.state,
        "attempts": one.attempts,
        "resends": one.resends,
        "queued": one.queued_at,
        "dated": one.dated_at,
        "answered": one.answered_at,
        "the relay said": _words_of_relay(one),
    }
    for name, value in facts.items():
        if value not in (None, "", 0):
            typer.echo(f"{name}\t{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else f"{name}\t{value}")


def _words_of_relay(one: DeliveryRecord) -> str:
    return " ".join(str(part) for part in (one.code, one.reply) if part)


def _as_json(shown: ShownLetter) -> dict[str, Any]:
    from mailer.mail.message.letter import preview_letter

    letter = preview_letter(shown.letter) if shown.letter else None
    about = {"address": shown.address, "is_kept": shown.is_kept, "changes": shown.changes, "letter": letter}
    return _record_as_json(shown.record) | about


def _record_as_json(one: DeliveryRecord) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name not in ("subscription_id", "revision_id")}
