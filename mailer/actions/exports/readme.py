"""Writes README.txt of an export, in the list's language."""

from __future__ import annotations

from mailer.app import App
from mailer.domain.mailing_list import MailingList


def write_readme(app: App, mailing_list: MailingList) -> str:
    """The text that says what is what."""
    language = app.language(mailing_list.language)
    address = app.list_identity(mailing_list).address()
    return app.templates.render("exports/readme.txt", language, title=mailing_list.title, address=address) + "\n"
