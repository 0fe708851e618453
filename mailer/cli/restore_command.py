"""`mailer subscribers restore`: writing again to one person, or to all whom an outage cut off."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.cli.cli_context import AsJson, act, say, show_json, told_plainly

if TYPE_CHECKING:
    from datetime import datetime

    from mailer.actions.subscriptions.restore_people import RestoredReader
    from mailer.domain.bounce import Reason

_SHOWN = 20
_ANY = "bounced"


def restore_subscribers(
    address: Annotated[str | None, typer.Argument(help="Whom; or all, with --since.")] = None,
    list_name: Annotated[str | None, typer.Option("--list", help="The list's name; with --since, all if none.")] = None,
    since: Annotated[str | None, typer.Option(help="All whose letters came back from 2026-12-01T09:00 on.")] = None,
    until: Annotated[str | None, typer.Option(help="And before 2026-12-01T12:00; now if not given.")] = None,
    zone: Annotated[str, typer.Option(help="Whose clock these are: Europe/Berlin.")] = "UTC",
    provider: Annotated[str | None, typer.Option(help="The domain of their addresses: example.net.")] = None,
    reason: Annotated[
        str, typer.Option(help="bounced, or what was said: unknown_user, full, blocked ... (campaign report).")
    ] = _ANY,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who it would be; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write again to an address whose letters came back, or that complained; what came back counts no more.

    With --since, to all whose letters bounced in that time. Who left, complained or never wants to be asked stays away.
    """
    if address is not None and since is None:
        if list_name is None:
            _misused("which list? --list NAME")
        _restore_one(address, list_name or "", as_json)
    elif since is not None and address is None:
        with told_plainly():
            hours = _instant(since, zone), _instant(until, zone) if until else None
            domain, said = _domain(provider), _reason(reason)
        _restore_all(hours, domain, said, list_name, dry_run, as_json)
    else:
        _misused("an address, or --since and all whose letters came back then")


def _restore_one(address: str, list_name: str, as_json: bool) -> None:
    from mailer.actions.subscriptions.restore_person import restore_person

    restored = act(lambda app: restore_person(app, address, list_name=list_name, by=getpass.getuser()))
    if as_json:
        show_json({"address": address, "list": list_name, **asdict(restored)})
    else:
        lifted = f"lifted: {', '.join(restored.lifted)}" if restored.lifted else "nothing was lifted"
        undone = f", {restored.undone} letters that came back count no more" if restored.undone else ""
        why_not = f", for {restored.why_not}" if restored.why_not else ""
        typer.echo(f"{address} is {restored.state} on {list_name} ({lifted}{undone}{why_not})")
    if restored.why_not:
        raise typer.Exit(1)


def _restore_all(
    hours: tuple[datetime, datetime | None],
    provider: str | None,
    reason: Reason | None,
    list_name: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    from mailer.actions.subscriptions.restore_people import restore_people

    since, until = hours
    readers = act(
        lambda app: restore_people(
            app,
            since=since,
            until=until,
            by=getpass.getuser(),
            provider=provider,
            reason=reason,
            list_name=list_name,
            rehearse=dry_run,
        )
    )
    on = [one for one in readers if one.lists and one.lifted]
    off = [one for one in readers if not one.lists]
    if as_json:
        counts = {"restored": len(on), "stay_away": len(off), "undone": sum(one.undone for one in readers)}
        show_json({"dry_run": dry_run} | counts | {"people": [asdict(one) for one in readers]})
        return
    _show(readers)
    would = "would be" if dry_run else "are"
    told = (
        f"{len(on)} {would} written to again, {len(off)} stay away (they left, complained, or bounced at another time)"
    )
    typer.echo(f"{told}; {sum(one.undone for one in readers)} letters that came back count no more")


def _show(readers: list[RestoredReader]) -> None:
    for one in readers[:_SHOWN]:
        say(f"{one.address}\t{', '.join(one.lists) or 'stays away'}\tlifted: {', '.join(one.lifted) or 'nothing'}")
    if len(readers) > _SHOWN:
        say(f"... and {len(readers) - _SHOWN} more (--json lists them all)")


def _instant(text: str, zone: str) -> datetime:
    from mailer.domain.local_time import parse_local_time, parse_zone, to_utc

    return to_utc(parse_local_time(text), parse_zone(zone))


def _domain(provider: str | None) -> str | None:
    from mailer.domain.address import parse_address

    return parse_address(f"someone@{provider.removeprefix('@')}").domain if provider else None


def _reason(said: str) -> Reason | None:
    """What is meant of all that was said of letters; None: whatever."""
    from mailer.domain.bounce import Reason
    from mailer.domain.suppression import Reason as OrderReason

    if said == _ANY:
        return None
    if said in set(OrderReason):
        _misused(f"--reason {said}: what people said themselves is not undone for many at once")
    if said not in set(Reason):
        _misused(f"--reason {said}: one of {_ANY}, {', '.join(Reason)}")
    return Reason(said)


def _misused(told: str) -> None:
    say(f"mailer: {told}")
    raise typer.Exit(2)
