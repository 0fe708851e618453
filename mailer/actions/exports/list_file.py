"""Writes list.toml of an export: the list's settings, and who its organisers are."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.exports.write_toml import TomlValue, write_table
from mailer.app import App
from mailer.domain.accounts.organiser import Organiser
from mailer.domain.mailing_list import MailingList
from mailer.store.accounts import organisers


async def write_list_file(app: App, mailing_list: MailingList) -> str:
    """The text of list.toml. What a list has not set is left out."""

    def work(tx: Connection) -> list[Organiser]:
        return organisers.list_all(tx)

    parts = [write_table(_settings(app, mailing_list))]
    if mailing_list.segments:
        parts.append(write_table(dict(mailing_list.segments), "[segments]"))
    for one in await app.database.read(work):
        for grant in one.grants:
            if grant.mailing_list_id in (None, mailing_list.id):
                role: dict[str, TomlValue | None] = {
                    "address": one.address,
                    "name": one.name,
                    "role": grant.role.value,
                    "language": grant.language,
                    "whole_site": grant.mailing_list_id is None or None,
                }
                parts.append(write_table(role, "[[organisers]]"))
    return "\n".join(parts)


def _settings(app: App, mailing_list: MailingList) -> dict[str, TomlValue | None]:
    return {
        "name": mailing_list.name,
        "title": mailing_list.title,
        "description": mailing_list.description,
        "address": app.list_identity(mailing_list).address(),
        "owner": mailing_list.owner,
        "language": mailing_list.language,
        "zone": mailing_list.zone,
        "postal_address": mailing_list.postal_address,
        "reason": mailing_list.reason,
        "testers": mailing_list.testers or None,
        "needs_approval": mailing_list.needs_approval,
        "hard_after": mailing_list.hard_after,
        "soft_limit": mailing_list.soft_limit,
        "accent_color": mailing_list.accent_color,
        "logo": mailing_list.logo and mailing_list.logo.removeprefix("/"),
        "archive": mailing_list.archive and mailing_list.archive.value,
    }
