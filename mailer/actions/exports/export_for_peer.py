"""Exports people in the shape that other software imports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mailer.actions.exports.export_all import ExportedList, permitted_lists, record_export
from mailer.actions.exports.new_folder import new_folder
from mailer.actions.exports.peers import PEERS as PEERS
from mailer.actions.exports.peers import open_peer_files, peer_shape
from mailer.actions.exports.read_people import read_attribute_names, read_people
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.mailing_list import MailingList


async def export_for_peer(
    app: App,
    actor: Actor,
    *,
    list_name: str | None,
    peer: str,
    folder: Path,
    progress: Callable[[str, int], None] = lambda _name, _people: None,
) -> tuple[ExportedList, ...]:
    """Export the people of a list as `peer`, one of PEERS, imports them; with None of all lists, a folder each.

    Whoever must not get letters is in a file of their own that says so, or left out where the peer knows no such file.
    Otherwise as `export_all`.
    """
    lists = await app.database.read(permitted_lists, actor, list_name)
    with new_folder(folder) as temporary:
        await app.database.write(record_export, app, actor, list_name, lists, peer)
        return tuple(
            [
                await _export_list(app, one, peer, temporary if list_name else temporary / one.name, progress)
                for one in lists
            ]
        )


async def _export_list(
    app: App, mailing_list: MailingList, peer: str, folder: Path, progress: Callable[[str, int], None]
) -> ExportedList:
    attributes = await read_attribute_names(app, mailing_list.id)
    with open_peer_files(peer_shape(peer), folder, attributes) as files:
        async for page in read_people(app, mailing_list.id):
            files.write(page)
            progress(mailing_list.name, files.people)
    return ExportedList(
        list_name=mailing_list.name, people=files.people, suppressions=0, campaigns=0, left_out=files.left_out
    )
