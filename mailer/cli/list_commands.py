"""`mailer list ...`: add, change and show mailing lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, read_octets, run_action
from mailer.domain.mailing_list import ArchiveMode

if TYPE_CHECKING:
    from mailer.app import App
    from mailer.domain.accounts.actor import Actor
    from mailer.domain.list_view import ListView
    from mailer.domain.mailing_list import MailingList

PostalAddress = Annotated[
    str | None, typer.Option(help="Of who writes, at the end of each letter of campaigns launched from now on.")
]
Reason = Annotated[
    str | None, typer.Option(help="Why readers get its letters, in the list's language; likewise at their end.")
]

Archive = Annotated[
    ArchiveMode | None,
    typer.Option(help="Who may read its letters on the web: everybody, subscribers by their letter's link, or nobody."),
]
Zone = Annotated[str | None, typer.Option(help="In which hours of this list are meant: Europe/Berlin.")]
Title = Annotated[str | None, typer.Option("--name", help='What people read: "Open Appeals".')]
Owner = Annotated[str | None, typer.Option(help="The address of who answers for the list.")]
Language = Annotated[str | None, typer.Option(help="Of letters to people whose own is not known.")]
Testers = Annotated[
    list[str] | None,
    typer.Option("--tester", help='Who gets test letters; given again for each, all anew; "" for none.'),
]
NeedsApproval = Annotated[
    bool | None,
    typer.Option(
        "--needs-approval/--needs-no-approval",
        help="Whether somebody else than who schedules must approve a campaign.",
        show_default=False,
    ),
]
HardAfter = Annotated[
    int | None, typer.Option(min=1, help="So many letters in a row that came back for good, and none goes there.")
]
SoftLimit = Annotated[
    int | None, typer.Option(min=1, help="So many points of letters that came back for now, and a probe is sent.")
]
AccentColor = Annotated[
    str | None, typer.Option(help="Of buttons and links in letters of campaigns launched from now on: #1b6b59.")
]
Logo = Annotated[str | None, typer.Option(help="A picture for the top of those letters: the name of its file.")]
Description = Annotated[str | None, typer.Option(help="One sentence on what it is about.")]

_FIELDS = (
    *("title", "description", "owner", "language", "zone", "testers", "needs_approval", "hard_after", "soft_limit"),
    *("postal_address", "reason", "archive"),
)
"""The options of `list set` that are arguments of the action."""

Segments = Annotated[
    list[str] | None,
    typer.Option(
        "--segment",
        metavar="NAME=CONDITION",
        help="A condition on readers that letters may use: izmir=city == 'Izmir'; for each again; NAME= removes it.",
    ),
]

lists = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Open and show mailing lists.")


@lists.command("add")
def add(
    list_name: Annotated[str, typer.Argument(help="The list's address before the @: lower case, at most 26.")],
    title: Annotated[str, typer.Option("--name", help='What people read: "Open Appeals".')],
    owner: Annotated[str, typer.Option(help="The address of who answers for the list.")],
    description: Description = None,
    language: Annotated[str, typer.Option(help="Of letters to people whose own is not known.")] = "en",
    zone: Zone = None,
    postal_address: PostalAddress = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Open a list; its addresses work at once."""
    from mailer.actions.lists.edit_list import add_list

    added = run_action(
        lambda app, actor: add_list(
            app,
            actor,
            name=list_name,
            title=title,
            owner=owner,
            description=description or "",
            language=language,
            zone=zone or "UTC",
            postal_address=postal_address or "",
            reason=reason or "",
        )
    )
    print_json(asdict(added)) if as_json else print_message(
        f"The list {added.name} is open: people join by {added.name}-join@."
    )


@lists.command("set")
def set_(
    list_name: str,
    title: Title = None,
    description: Description = None,
    owner: Owner = None,
    language: Language = None,
    zone: Zone = None,
    testers: Testers = None,
    needs_approval: NeedsApproval = None,
    hard_after: HardAfter = None,
    soft_limit: SoftLimit = None,
    postal_address: PostalAddress = None,
    reason: Reason = None,
    accent_color: AccentColor = None,
    logo: Logo = None,
    archive: Archive = None,
    segments: Segments = None,
    as_json: AsJson = False,
) -> None:
    """Change a list: its words ("" takes them away), hours, testers, look, and how many letters back it bears."""
    given = locals()
    fields = {name: given[name] for name in _FIELDS}
    fields["testers"] = None if testers is None else [one for one in testers if one]
    fields["segments"] = None if segments is None else dict(map(_split_segment, segments))
    changed = run_action(lambda app, actor: _change(app, actor, list_name, fields, accent_color, logo))
    print_json(asdict(changed)) if as_json else _print_settings(changed)


def _split_segment(written: str) -> tuple[str, str]:
    name, sign, condition = written.partition("=")
    if not sign:
        raise typer.BadParameter(
            f"{written!r} is not NAME=CONDITION, like izmir=city == 'Izmir'", param_hint="--segment"
        )
    return name.strip(), condition


async def _change(
    app: App, actor: Actor, list_name: str, fields: dict[str, Any], accent_color: str | None, logo: str | None
) -> MailingList:
    from mailer.actions.lists.edit_list import set_list

    await _set_look(app, actor, list_name, accent_color, logo)
    return await set_list(app, actor, list_name, **fields)


async def _set_look(app: App, actor: Actor, list_name: str, accent_color: str | None, logo: str | None) -> None:
    """Change the list's colour, and its logo by the name of a file; None leaves them, "" takes them away."""
    from mailer.actions.lists.set_design import LogoFile, set_design

    if accent_color is None and logo is None:
        return
    file = None if logo is None else LogoFile(Path(logo).name, read_octets(Path(logo)) if logo else b"")
    await set_design(app, actor, list_name, accent_color=accent_color, logo=file)


def _print_settings(changed: MailingList) -> None:
    print_message(
        f"{changed.name}: none after {changed.hard_after} hard, a probe at {changed.soft_limit} points of soft ones."
    )
    approval = "; another organiser approves its campaigns" if changed.needs_approval else ""
    print_message(f"  hours are of {changed.zone}; {len(changed.testers)} testers{approval}")
    for line in _letter_settings(changed):
        print_message(line)


def _letter_settings(mailing_list: MailingList) -> Iterator[str]:
    """What was chosen for its letters: their look, who reads them on the web, segments, and their end."""
    if color := mailing_list.accent_color:
        yield f"  colour {color}"
    if mailing_list.logo:
        yield f"  logo {mailing_list.logo}"
    if mailing_list.archive is not None:
        yield f"  on the web its letters are read by {_readers_on_the_web(mailing_list)}"
    for name, condition in mailing_list.segments.items():
        yield f"  segment {name}: {condition}"
    for line in (mailing_list.reason, *(mailing_list.postal_address or "").splitlines()):
        if line:
            yield f"  {line}"


def _readers_on_the_web(mailing_list: MailingList) -> str:
    if mailing_list.archive is ArchiveMode.PUBLIC:
        return f"everybody, at /archive/{mailing_list.name}"
    return "subscribers, by the link in them" if mailing_list.archive is ArchiveMode.SUBSCRIBERS else "nobody"


@lists.command("show")
def show(list_name: str, as_json: AsJson = False) -> None:
    """A list, how many people are on it, and what was chosen for its letters."""
    from mailer.actions.lists.show_list import show_list

    view = run_action(lambda app, actor: show_list(app, actor, list_name))
    _print_lists([view], as_json)
    for line in () if as_json else _letter_settings(view.mailing_list):
        typer.echo(line)


@lists.command("ls")
def ls(as_json: AsJson = False) -> None:
    """All lists."""
    from mailer.actions.lists.show_list import show_lists

    _print_lists(run_action(show_lists), as_json)


def _print_lists(views: list[ListView], as_json: bool) -> None:
    if as_json:
        print_json([_as_json(view) for view in views])
        return
    for view in views:
        mailing_list = view.mailing_list
        counts = ", ".join(f"{number} {state}" for state, number in view.subscriptions.items())
        until = view.throttled_until
        throttled = f"\tdefers unauthenticated requests until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        columns = (view.address, mailing_list.title, mailing_list.language, mailing_list.owner, counts)
        typer.echo("\t".join(columns) + throttled)


def _as_json(view: ListView) -> dict[str, Any]:
    more = {"address": view.address, "join_page": view.join_url, "quiet_until": view.throttled_until}
    return asdict(view.mailing_list) | more | {"subscriptions": view.subscriptions}
