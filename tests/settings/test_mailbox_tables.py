"""Mailboxes to fetch mail from, as settings.toml says it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from mailer.bootstrap import open_mailboxes
from mailer.errors import SecretUnreadable, SettingsRefused
from mailer.settings.load import Settings, check_settings


def read(folder: Path = Path("/etc/mailer"), **mailbox: Any) -> Settings:
    return check_settings({"mailbox": [mailbox]}, folder / "settings.toml")


def test_no_mailbox_is_asked_unless_told():
    assert open_mailboxes(check_settings({}, Path("/etc/mailer/settings.toml"))) == ()


def test_the_password_is_beside_the_settings_and_nothing_is_moved_unless_told(tmp_path):
    (tmp_path / "mailbox-password").write_text("open sesame\n")

    (mailbox,) = open_mailboxes(read(tmp_path, host="mx.example.org", username="lists@example.org"))

    assert (mailbox.password, mailbox.done_folder, mailbox.every_s) == ("open sesame", None, 60)
    assert mailbox.name == "imap://lists%40example.org@mx.example.org:993/INBOX"


def test_a_password_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(SecretUnreadable, match="mailbox-password"):
        open_mailboxes(read(tmp_path))


def test_where_the_extra_is_missing_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imapclient", None)

    with pytest.raises(SettingsRefused, match=r"appeal-mailer\[imap\]"):
        open_mailboxes(read(tmp_path))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"tls": "none"}, "accepted only on loopback"),
        ({"done_folder": "INBOX"}, "another folder"),
        ({"every_s": 0}, "every_s"),
        ({"password": "x"}, "there is no such key"),
    ],
)
def test_what_cannot_be_meant_is_refused(told, why):
    with pytest.raises(SettingsRefused, match=why):
        read(**told)
