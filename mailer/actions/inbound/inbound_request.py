"""One mail to one of our addresses, with all that was found out about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailer.domain.address import Address
from mailer.domain.command_address import Command, CommandAddress
from mailer.domain.consent import Channel, Evidence
from mailer.domain.sender_authentication import SenderAuthentication
from mailer.mail.bounces.match_delivery import FeedbackMatch
from mailer.mail.inbound.parse_mail import InboundMail

_FOR_HUMANS = {Command.OWNER, Command.POST, Command.REPLY}
_MAX_COMMAND_WORDS = 100
"""Words that people write to an address for commands, at the most; newsletters have more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundRequest:
    """Who wrote what to which address of ours."""

    mail_id: int
    """Of its row."""
    mail: InboundMail
    recipient: str
    address: CommandAddress
    octets: bytes
    """The mail itself."""
    envelope_sender: str
    source: str | None
    """The IP address it came from, as far as it can be known."""
    authentication: SenderAuthentication
    header_digest: str
    """SHA-256 of its header, hex: shows later which mail it was, without keeping it."""
    record_client: bool
    """Whether the source may stand in the consent record."""
    feedback: FeedbackMatch | None = None
    """What came back, where it was sent to an address for such mail."""

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
        """Whether a person wrote it, as far as its marks tell.

        A doubtful mail is a person's where it is short, names this address of ours, and comes from its author: by its
        envelope, or proven. It is a program's where it answers a letter under the subject of an automatic reply.
        """
        heard = self.mail
        if heard.automatic_mark or heard.ambiguous_mark is None:
            return heard.automatic_mark is None
        named = self.recipient.lower() in heard.header_recipients
        is_short = len(heard.reply_text.split()) <= _MAX_COMMAND_WORDS
        from_author = heard.is_sent_by_author or self.authenticated
        return named and is_short and from_author and not (heard.has_auto_reply_subject and heard.references)

    @property
    def may_reply(self) -> bool:
        """Whether a letter may go back to who wrote (RFC 3834): in doubt none does.

        None goes to who answers at an address that only a letter of ours has, under the subject of an automatic reply.
        """
        return self.is_from_person and not (self.mail.has_auto_reply_subject and self.address.token)

    @property
    def may_act(self) -> bool:
        """Whether it may have the effect of the address it came to.

        A program's mail joins, confirms and asks for nothing; it may leave with a token, and it is for people where it
        came to people.
        """
        by_token = self.address.command is Command.LEAVE and self.address.token is not None
        return self.is_from_person or self.address.command in _FOR_HUMANS or by_token

    @property
    def language(self) -> str | None:
        """The one that the address names, else the one that the mail is in, as far as it says."""
        return self.address.language or self.mail.language

    @property
    def reply_values(self) -> dict[str, Any]:
        """For the values of a notice that answers it (RFC 3834 section 3.1.4).

        Of a stranger's mail nothing stands in a notice, not even its Message-ID: it may have been written for the eyes
        of somebody else.
        """
        return (
            {"in_reply_to": self.mail.message_id} if self.authenticated and self.mail.message_id else {"replied": True}
        )

    @property
    def evidence(self) -> Evidence:
        """What stands in the consent record of what is done because of it."""
        told = {
            "from": self.sender.addr_spec if self.sender else None,
            "envelope_from": self.envelope_sender,
            "to": self.recipient,
            "message_id": self.mail.message_id,
            "proof": {
                "by": self.authentication.method,
                "domain": self.authentication.domain,
                "why": self.authentication.why,
                "header_sha256": self.header_digest,
            },
        }
        return Evidence(Channel.MAIL, told | ({"client": self.source} if self.record_client else {}))
