"""The table of settings.toml about IMAP mailboxes that mail is fetched from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from mailer.settings.toml_tables import LOOPBACK, Port, Table


class MailboxSettings(Table):
    """An IMAP mailbox that gets the mail of our domain (needs the extra `imap`). Repeat the table for more than one."""

    host: str = Field("imap.example.org", description="The IMAP server. Without any [[mailbox]] no mail is fetched.")
    port: Port = Field(993, description="993 (tls) or 143 (starttls).")
    tls: Literal["none", "starttls", "tls"] = Field("tls", description='"none" is accepted only on loopback.')
    username: str = Field("lists@example.org", description="Whose mailbox it is; all mail to our domain must go there.")
    password_file: Path = Field(
        Path("mailbox-password"), description="A file that holds the password, readable by the service."
    )
    folder: str = Field("INBOX", description="The folder to fetch mail from.")
    done_folder: str = Field(
        "", description="Mails for us are moved there once we have them; empty: nothing in the mailbox is changed."
    )
    every_s: float = Field(
        60,
        ge=1,
        le=1500,
        description="How often to look; where the server can (IDLE), it tells us of new mail at once.",
    )

    @model_validator(mode="after")
    def _check_tls_and_folders(self) -> MailboxSettings:
        if self.tls == "none" and self.host not in LOOPBACK:
            raise ValueError('tls = "none" is accepted only on loopback; use "tls" or "starttls"')
        if self.done_folder and self.done_folder == self.folder:
            raise ValueError("done_folder must be another folder than folder")
        return self
