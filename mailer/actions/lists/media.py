"""Pictures and attachments of a list's letters: added by organisers, listed, and loaded for whoever reads a letter."""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.letters.media import MediaFile, StoredMedia
from mailer.domain.page import MAX_PAGE_SIZE, Page
from mailer.errors import NotFound
from mailer.mail.media.prepare_media import prepare_media
from mailer.store import mailing_lists
from mailer.store.accounts import audit_log
from mailer.store.letters import media
from mailer.store.pages import all_items


async def add_media(app: App, actor: Actor, *, list_name: str, name: str, octets: bytes) -> MediaFile:
    """Keep a file for letters of a list; its page answers at once, and texts name it by its path.

    `name` is what the file was called. The same file again changes nothing. Raises MediaRefused, NotFound, and
    NotPermitted unless the actor may write for the list.
    """

    def check(tx: Connection) -> None:
        actor.require(Permission.WRITE, mailing_lists.get_by_name(tx, list_name).id)

    def work(tx: Connection, prepared: MediaFile) -> MediaFile:
        number = mailing_lists.get_by_name(tx, list_name).id
        actor.require(Permission.WRITE, number)
        return keep_media(tx, app, actor, number, prepared)

    await app.database.read(check)
    return await app.database.write(work, await asyncio.to_thread(prepare_media, octets, name))


def keep_media(tx: Connection, app: App, actor: Actor, mailing_list_id: int, prepared: MediaFile) -> MediaFile:
    """Keep a file that is ready for letters; returns it as it is kept, without its content."""
    kept = media.add(tx, prepared, actor.name, app.clock())
    audit_log.record(
        tx,
        actor,
        Act.ADD_MEDIA,
        subject=kept.path.removeprefix("/"),
        mailing_list_id=mailing_list_id,
        after={"octets": kept.size, "media_type": kept.media_type},
        now=app.clock(),
    )
    return kept


async def media_page(app: App, actor: Actor, after: str = "", limit: int = MAX_PAGE_SIZE) -> Page[StoredMedia]:
    """A page of the files of all lists; `after` is the cursor of the page before.

    Raises NotPermitted unless the actor manages the site.
    """
    actor.require(Permission.MANAGE_SITE)
    return await app.database.read(media.list_page, after, limit)


async def all_media(app: App, actor: Actor) -> list[StoredMedia]:
    """The files of all lists, the newest first. Raises NotPermitted unless the actor manages the site."""
    found = [one async for one in all_items(partial(media_page, app, actor))]
    return sorted(found, key=lambda one: one.added_at, reverse=True)


async def load_media(app: App, digest: str, name: str) -> MediaFile:
    """The file of a path, for anybody who has it. Raises NotFound."""
    found = await app.database.read(media.get, digest)
    if found.name != name:
        raise NotFound("there is no such picture or attachment")
    return found
