"""IMAP mailboxes in settings.toml."""

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


def test_there_is_no_mailbox_by_default():
    assert open_mailboxes(check_settings({}, Path("/etc/mailer/settings.toml"))) == ()


def test_the_password_file_is_in_the_folder_of_the_settings_and_mail_is_not_moved_by_default(tmp_path):
    (tmp_path / "mailbox-password").write_text("open sesame\n")

    (mailbox,) = open_mailboxes(read(tmp_path, host="mx.example.org", username="lists@example.org"))

    assert (mailbox.password, mailbox.done_folder, mailbox.every_s) == ("open sesame", None, 60)
    assert mailbox.name == "imap://lists%40example.org@mx.example.org:993/INBOX"


def test_an_unreadable_password_file_is_named(tmp_path):
    with pytest.raises(SecretUnreadable, match="mailbox-password"):
        open_mailboxes(read(tmp_path))


def test_a_missing_imap_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imapclient", None)

    with pytest.raises(SettingsRefused, match=r"appeal-mailer\[imap\]"):
        open_mailboxes(read(tmp_path))


@pytest.mark.parametrize(
    ("mailbox", "reason"),
    [
        ({"tls": "none"}, "accepted only on loopback"),
        ({"done_folder": "INBOX"}, "another folder"),
        ({"every_s": 0}, "every_s"),
        ({"password": "x"}, "there is no such key"),
    ],
)
def test_a_bad_value_is_refused_with_the_reason(mailbox, reason):
    with pytest.raises(SettingsRefused, match=reason):
        read(**mailbox)
