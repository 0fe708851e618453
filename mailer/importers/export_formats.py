"""All products whose exports are read, and which of them wrote some files."""

from __future__ import annotations

from mailer.errors import TableRefused
from mailer.importers import (
    brevo,
    buttondown,
    ghost,
    google_groups,
    keila,
    listmonk,
    mailchimp,
    mailman3,
    mailman21,
    mlmmj,
    phplist,
    substack,
    sympa,
)
from mailer.importers.export_format import ExportFormat
from mailer.importers.source_files import SourceFile, SourceFiles

FORMATS: tuple[ExportFormat, ...] = (
    mailman21.FORMAT,
    mailman3.FORMAT,
    sympa.FORMAT,
    mlmmj.FORMAT,
    listmonk.FORMAT,
    phplist.FORMAT,
    keila.FORMAT,
    ghost.FORMAT,
    substack.FORMAT,
    mailchimp.FORMAT,
    buttondown.FORMAT,
    brevo.FORMAT,
    google_groups.FORMAT,
)
"""The more particular first."""


def recognize_format(source: SourceFiles, name: str | None = None) -> tuple[ExportFormat, tuple[SourceFile, ...]]:
    """The format of these files, and which of them belong to it; with `name` no other is tried.

    Raises TableRefused where none or several recognise the files.
    """
    candidates = [one for one in FORMATS if name is None or one.name == name]
    found = [(one, files) for one in candidates if (files := one.find_files(source.files))]
    if len(found) == 1:
        return found[0]
    if not candidates:
        raise TableRefused(f"{name!r} is not known here; there are: {', '.join(one.name for one in FORMATS)}")
    if found:
        names = " or ".join(one.title for one, _ in found)
        raise TableRefused(f"{source.name} may be {names}: say which with --from")
    raise TableRefused(f"{source.name} is no export that is known here")
