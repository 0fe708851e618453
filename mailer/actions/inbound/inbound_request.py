"""One mail to one of our addresses, with all that was found out about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailer.domain.address import Address
from mailer.domain.command_address import Command, CommandAddress
from mailer.domain.consent import Evidence, Way
from mailer.domain.sender_authentication import Proof
from mailer.mail.bounces.match_delivery import Told
from mailer.mail.inbound.parse_mail import Heard

_FOR_PEOPLE = {Command.OWNER, Command.POST, Command.REPLY}
_SHORT = 100
"""Words that people write to an address for commands, at the most; newsletters have more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """Who wrote what to which address of ours."""

    mail_id: int
    """Of its row."""
    heard: Heard
    recipient: str
    to: CommandAddress
    octets: bytes
    """The mail itself."""
    envelope_sender: str
    source: str | None
    """The IP address it came from, as far as it can be known."""
    proof: Proof
    header_digest: str
    """SHA-256 of its header, hex: shows later which mail it was, without keeping it."""
    keep_client: bool
    """Whether the source may stand in the consent record."""
    told: Told | None = None
    """What came back, where it was sent to an address for such mail."""

    @property
    def sender(self) -> Address | None:
        return self.heard.sender

    @property
    def list_name(self) -> str:
        return self.to.list_name or ""

    @property
    def proven(self) -> bool:
        return self.proof.proven

    @property
    def is_persons(self) -> bool:
        """Whether a person wrote it, as far as its marks tell.

        A doubtful mail is a person's where it is short, names this address of ours, and comes from its author: by its
        envelope, or proven. It is a program's where it answers a letter under the subject of an automatic reply.
        """
        heard = self.heard
        if heard.automatic or heard.doubtful is None:
            return heard.automatic is None
        named = self.recipient.lower() in heard.addressed_to
        is_short = len(heard.own_words.split()) <= _SHORT
        from_author = heard.sent_by_author or self.proven
        return named and is_short and from_author and not (heard.has_programs_subject and heard.answers)

    @property
    def may_answer(self) -> bool:
        """Whether a letter may go back to who wrote (RFC 3834): in doubt none does.

        None goes to who answers at an address that only a letter of ours has, under the subject of an automatic reply.
        """
        return self.is_persons and not (self.heard.has_programs_subject and self.to.token)

    @property
    def may_act(self) -> bool:
        """Whether it may have the effect of the address it came to.

        A program's mail joins, confirms and asks for nothing; it may leave with a token, and it is for people where it
        came to people.
        """
        by_token = self.to.command is Command.LEAVE and self.to.token is not None
        return self.is_persons or self.to.command in _FOR_PEOPLE or by_token

    @property
    def language(self) -> str | None:
        """The one that the address names, else the one that the mail is in, as far as it says."""
        return self.to.language or self.heard.language

    @property
    def answered(self) -> dict[str, Any]:
        """For the values of a notice that answers it (RFC 3834 section 3.1.4).

        Of a stranger's mail nothing stands in a notice, not even its Message-ID: it may have been written for the eyes
        of somebody else.
        """
        return {"in_reply_to": self.heard.message_id} if self.proven and self.heard.message_id else {"replied": True}

    @property
    def evidence(self) -> Evidence:
        """What stands in the consent record of what is done because of it."""
        told = {
            "from": self.sender.mailed if self.sender else None,
            "envelope_from": self.envelope_sender,
            "to": self.recipient,
            "message_id": self.heard.message_id,
            "proof": {
                "by": self.proof.by,
                "domain": self.proof.domain,
                "why": self.proof.why,
                "header_sha256": self.header_digest,
            },
        }
        return Evidence(Way.MAIL, told | ({"client": self.source} if self.keep_client else {}))
