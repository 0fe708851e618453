"""Takes in the files that campaign files name beside them, so that the stored texts name their paths here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.actions.lists.media import add_media
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.errors import CampaignFileRefused, MediaRefused
from mailer.mail.media.local_files import LocalFile, find_local_files, name_local_files
from mailer.store import mailing_lists


async def take_local_files(
    app: App,
    actor: Actor,
    texts: Mapping[str, str],
    read: Callable[[str, str], bytes],
    *,
    list_name: str | None = None,
    campaign_id: int | None = None,
) -> dict[str, str]:
    """The texts (by file name) with paths of media files in place of files that they name beside them.

    These are kept for letters of the list, or of the campaign's list. `read(file, path)` returns the content of the
    file at `path`, relative to the folder of the text's `file`. Raises CampaignFileRefused with file and line for what
    `read` cannot find (OSError), letters cannot have, or is outside that folder; NotFound; NotPermitted.
    """
    if not any(map(_find, texts, texts.values())):
        return dict(texts)
    chosen = await app.database.read(_list_of, actor, campaign_id or 0) if list_name is None else list_name
    return {file: await _take(app, actor, file, text, read, chosen) for file, text in texts.items()}


def _list_of(tx: Connection, actor: Actor, campaign_id: int) -> str:
    campaign = load_campaign(tx, actor, Permission.WRITE, campaign_id)
    return mailing_lists.get(tx, campaign.mailing_list_id).name


async def _take(app: App, actor: Actor, file: str, text: str, read: Callable[[str, str], bytes], list_name: str) -> str:
    paths: dict[str, str] = {}
    for one in _find(file, text):
        try:
            added = await add_media(app, actor, list_name=list_name, name=one.path, octets=read(file, one.path))
        except OSError as error:
            reason = f"{one.path} cannot be read: {error.strerror}"
            raise CampaignFileRefused(f"{file}: line {one.line}: {reason}") from None
        except MediaRefused as refusal:
            raise CampaignFileRefused(f"{file}: line {one.line}: {refusal}") from None
        if one.is_shown and not added.is_picture:
            raise CampaignFileRefused(f"{file}: line {one.line}: {one.path} is no picture; link to it, or attach it")
        paths[one.name] = added.path
    return name_local_files(text, paths) if paths else text


def _find(file: str, text: str) -> tuple[LocalFile, ...]:
    try:
        return find_local_files(text)
    except CampaignFileRefused as refusal:
        raise CampaignFileRefused(f"{file}: {refusal}") from None
