"""Changes how a list's letters look: their colour and their logo."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.lists.media import keep_media
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.letters.list_design import check_accent_color
from mailer.domain.letters.media import MediaFile
from mailer.domain.mailing_list import MailingList
from mailer.errors import ListDesignRefused
from mailer.mail.media.prepare_media import prepare_media
from mailer.store import mailing_lists
from mailer.store.accounts import audit_log


@dataclass(frozen=True, slots=True)
class LogoFile:
    """A picture as somebody hands it in; without content it takes the logo away."""

    name: str
    octets: bytes


async def set_design(
    app: App, actor: Actor, list_name: str, *, accent_color: str | None = None, logo: LogoFile | None = None
) -> MailingList:
    """Change the look of letters of campaigns launched from now on; None leaves a value as it is.

    An empty colour is the templates' own. Raises NotFound, NotPermitted unless the actor manages the list,
    ListDesignRefused for what is no colour, and MediaRefused for what is no picture.
    """

    def check(tx: Connection) -> None:
        actor.require(Permission.MANAGE_LIST, mailing_lists.get_by_name(tx, list_name).id)

    await app.database.read(check)
    values: dict[str, str | None] = {}
    if accent_color is not None:
        values["accent_color"] = check_accent_color(accent_color)
    picture = None
    if logo is not None:
        values["logo"] = None
        picture = await asyncio.to_thread(_prepare_logo, logo) if logo.octets else None
    return await app.database.write(_change, app, actor, list_name, values, picture)


def _prepare_logo(logo: LogoFile) -> MediaFile:
    prepared = prepare_media(logo.octets, logo.name)
    if not prepared.is_picture:
        raise ListDesignRefused(f"{logo.name} is no picture; a logo is a PNG, JPEG, GIF or WebP")
    return prepared


def _change(
    tx: Connection,
    app: App,
    actor: Actor,
    list_name: str,
    values: dict[str, str | None],
    picture: MediaFile | None,
) -> MailingList:
    present = mailing_lists.get_by_name(tx, list_name)
    actor.require(Permission.MANAGE_LIST, present.id)
    if picture is not None:
        values = values | {"logo": keep_media(tx, app, actor, present.id, picture).path}
    before = {name: getattr(present, name) for name, value in values.items() if getattr(present, name) != value}
    if not before:
        return present
    mailing_lists.change(tx, present.id, values)
    audit_log.record(
        tx,
        actor,
        Act.CHANGE_LIST,
        subject=f"list {present.name}",
        mailing_list_id=present.id,
        before=before,
        after={name: values[name] for name in before},
        now=app.clock(),
    )
    return mailing_lists.get(tx, present.id)
