"""`mailer subscribers restore`: write again to one person, or to all whose letters bounced in an outage."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, report_errors, run_action

if TYPE_CHECKING:
    from datetime import datetime

    from mailer.actions.subscriptions.restore_people import RestoredReader
    from mailer.domain.bounce import BounceReason

_SHOWN = 20
_ANY_BOUNCE = "bounced"


def restore_subscribers(
    address: Annotated[str | None, typer.Argument(help="Whom; or all, with --since.")] = None,
    list_name: Annotated[str | None, typer.Option("--list", help="The list's name; with --since, all if none.")] = None,
    since: Annotated[str | None, typer.Option(help="All whose letters came back from 2026-12-01T09:00 on.")] = None,
    until: Annotated[str | None, typer.Option(help="And before 2026-12-01T12:00; now if not given.")] = None,
    zone: Annotated[str, typer.Option(help="Whose clock these are: Europe/Berlin.")] = "UTC",
    provider: Annotated[str | None, typer.Option(help="The domain of their addresses: example.net.")] = None,
    reason: Annotated[
        str, typer.Option(help="bounced, or what was said: unknown_user, full, blocked ... (campaign report).")
    ] = _ANY_BOUNCE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who it would be; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write again to an address that bounced, complained, is paused or banned; what came back counts no more.

    With --since, to all whose letters bounced in that time. Who left or never wants to be asked stays away in any case.
    """
    if address is not None and since is None:
        if list_name is None:
            _exit_with_usage_error("which list? --list NAME")
        _restore_one(address, list_name or "", as_json)
    elif since is not None and address is None:
        with report_errors():
            hours = _parse_instant(since, zone), _parse_instant(until, zone) if until else None
            domain, said = _parse_provider(provider), _parse_reason(reason)
        _restore_all(hours, domain, said, list_name, dry_run, as_json)
    else:
        _exit_with_usage_error("an address, or --since and all whose letters came back then")


def _restore_one(address: str, list_name: str, as_json: bool) -> None:
    from mailer.actions.subscriptions.restore_person import restore_person

    restored = run_action(lambda app, actor: restore_person(app, actor, address, list_name=list_name))
    if as_json:
        print_json({"address": address, "list": list_name, **asdict(restored)})
    else:
        lifted = "nothing was lifted"
        if restored.lifted:
            lifted = f"lifted: {', '.join(restored.lifted)}; was {', '.join(restored.reasons)}"
        undone = f", {restored.undone} letters that came back count no more" if restored.undone else ""
        why_not = f", for {restored.why_not}" if restored.why_not else ""
        typer.echo(f"{address} is {restored.state or 'not'} on {list_name} ({lifted}{undone}{why_not})")
    if restored.why_not:
        raise typer.Exit(1)


def _restore_all(
    period: tuple[datetime, datetime | None],
    provider: str | None,
    reason: BounceReason | None,
    list_name: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    from mailer.actions.subscriptions.restore_people import restore_people

    since, until = period
    readers = run_action(
        lambda app, actor: restore_people(
            app,
            actor,
            since=since,
            until=until,
            provider=provider,
            reason=reason,
            list_name=list_name,
            dry_run=dry_run,
        )
    )
    restored = [one for one in readers if one.lists and one.lifted]
    staying_away = [one for one in readers if not one.lists]
    if as_json:
        counts = {
            "restored": len(restored),
            "stay_away": len(staying_away),
            "undone": sum(one.undone for one in readers),
        }
        print_json({"dry_run": dry_run} | counts | {"people": [asdict(one) for one in readers]})
        return
    _print_readers(readers)
    would = "would be" if dry_run else "are"
    reasons = "they left, complained, or bounced at another time"
    summary = f"{len(restored)} {would} written to again, {len(staying_away)} stay away ({reasons})"
    typer.echo(f"{summary}; {sum(one.undone for one in readers)} letters that came back count no more")


def _print_readers(readers: list[RestoredReader]) -> None:
    for one in readers[:_SHOWN]:
        print_message(
            f"{one.address}\t{', '.join(one.lists) or 'stays away'}\tlifted: {', '.join(one.lifted) or 'nothing'}"
        )
    if len(readers) > _SHOWN:
        print_message(f"... and {len(readers) - _SHOWN} more (--json lists them all)")


def _parse_instant(text: str, zone: str) -> datetime:
    from mailer.domain.local_time import parse_local_time, parse_zone, to_utc

    return to_utc(parse_local_time(text), parse_zone(zone))


def _parse_provider(provider: str | None) -> str | None:
    from mailer.domain.address import parse_address

    return parse_address(f"someone@{provider.removeprefix('@')}").domain if provider else None


def _parse_reason(text: str) -> BounceReason | None:
    """The bounce reason that the option names; None for any."""
    from mailer.domain.bounce import BounceReason
    from mailer.domain.suppression import SuppressionReason

    if text == _ANY_BOUNCE:
        return None
    if text in set(SuppressionReason):
        _exit_with_usage_error(
            f"--reason {text}: only bounces are undone for many at once, not what people said themselves"
        )
    if text not in set(BounceReason):
        _exit_with_usage_error(f"--reason {text}: one of {_ANY_BOUNCE}, {', '.join(BounceReason)}")
    return BounceReason(text)


def _exit_with_usage_error(message: str) -> None:
    print_message(f"mailer: {message}")
    raise typer.Exit(2)
