"""One mail to one of our addresses, read as a person's, with everything that was found out about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailer.domain.address import Address
from mailer.domain.command_address import Command, CommandAddress
from mailer.domain.consent import Channel, Evidence
from mailer.domain.sender_authentication import SenderAuthentication
from mailer.mail.inbound.parse_mail import InboundMail
from mailer.mail.message.parsed_message import ParsedMessage

_READ_BY_PEOPLE = {Command.OWNER, Command.POST, Command.REPLY}
_MAX_COMMAND_WORDS = 100
"""Words of a mail with a command, at most; newsletters have more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundRequest:
    """Who wrote what to which of our addresses."""

    mail_id: int
    """The id of its row."""
    message: ParsedMessage
    mail: InboundMail
    recipient: str
    address: CommandAddress
    """The recipient, parsed."""
    envelope_sender: str
    source: str | None
    """The IP address that the mail came from, if known."""
    authentication: SenderAuthentication
    record_client: bool
    """Whether `source` may be stored in the consent record."""

    @property
    def sender(self) -> Address | None:
        return self.mail.sender

    @property
    def list_name(self) -> str:
        return self.address.list_name or ""

    @property
    def authenticated(self) -> bool:
        return self.authentication.authenticated

    @property
    def is_from_person(self) -> bool:
        """Whether a person wrote it, as far as the marks of automatic mail tell.

        A mail with an ambiguous mark is a person's if it is short, names this address of ours, and comes from its
        author: by its envelope, or authenticated. It is a program's if it replies to a letter under the subject of an
        automatic reply.
        """
        mail = self.mail
        if mail.automatic_mark or mail.ambiguous_mark is None:
            return mail.automatic_mark is None
        is_named = self.recipient.lower() in mail.header_recipients
        is_short = len(mail.reply_text.split()) <= _MAX_COMMAND_WORDS
        is_from_author = mail.is_sent_by_author or self.authenticated
        return is_named and is_short and is_from_author and not (mail.has_auto_reply_subject and mail.references)

    @property
    def may_reply(self) -> bool:
        """Whether a notice may be sent to the author in reply (RFC 3834); False in doubt.

        False also for a mail with the subject of an automatic reply to an address that only our letters contain.
        """
        return self.is_from_person and not (self.mail.has_auto_reply_subject and self.address.token)

    @property
    def may_act(self) -> bool:
        """Whether the mail may have the effect of its address.

        Automatic mail cannot join, confirm or ask for anything. It can unsubscribe by a token, and it reaches people
        at the addresses that people read.
        """
        has_leave_token = self.address.command is Command.LEAVE and self.address.token is not None
        return self.is_from_person or self.address.command in _READ_BY_PEOPLE or has_leave_token

    @property
    def language(self) -> str | None:
        """The language that the address names, else that of the mail's Content-Language."""
        return self.address.language or self.mail.language

    @property
    def reply_values(self) -> dict[str, Any]:
        """What the values of a notice need to say that it is a reply (RFC 3834 section 3.1.4).

        Nothing of an unauthenticated mail gets into a notice, not even its Message-ID: the notice may reach somebody
        whom the author wants to deceive.
        """
        if self.authenticated and self.mail.message_id:
            return {"in_reply_to": self.mail.message_id}
        return {"replied": True}

    @property
    def evidence(self) -> Evidence:
        """What the consent record stores about the mail."""
        details = {
            "from": self.sender.addr_spec if self.sender else None,
            "envelope_from": self.envelope_sender,
            "to": self.recipient,
            "message_id": self.mail.message_id,
            "proof": {
                "by": self.authentication.method,
                "domain": self.authentication.domain,
                "why": self.authentication.why,
                "header_sha256": self.message.header.digest,
            },
        }
        return Evidence(Channel.MAIL, details | ({"client": self.source} if self.record_client else {}))
