"""What stands on every letter of a mailing list: who writes, from which addresses, and the ways back."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from mailer.domain.command_address import COMPLAINT_NAME, RETURN_PATH_NAME
from mailer.domain.keyring import Keyring
from mailer.domain.mailing_list import MailingList
from mailer.domain.token import Purpose, sign_token


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """The service as its letters speak of it."""

    name: str
    domain: str
    url: str
    """Of our pages, without a slash at the end."""
    owner: str
    keyring: Keyring
    signed: bool = True
    """Whether our letters are signed with DKIM: only then may they say where complaints go (RFC 9477 section 3.1)."""

    @property
    def path(self) -> str:
        """What stands before the path of each of our pages: `/lists`; empty where they are all that is there."""
        return urlsplit(self.url).path

    def link(self, page: str, purpose: Purpose, number: int) -> str:
        """A personal link: `https://.../leave/TOKEN`."""
        return f"{self.url}/{page}/{sign_token(self.keyring, purpose, number)}"

    def return_path(self, delivery_id: int) -> str:
        """MAIL FROM of one delivery: VERP-encoded and signed; its local part has 36 octets."""
        return f"{RETURN_PATH_NAME}+{self.bounce_token(delivery_id)}@{self.domain}"

    def bounce_token(self, delivery_id: int) -> str:
        """What names a delivery in what comes back of it."""
        return sign_token(self.keyring, Purpose.RETURN_PATH, delivery_id)

    def feedback_id(self, delivery_id: int) -> str:
        """CFBL-Feedback-ID (RFC 9477 section 4.2), by which a complaint names a delivery. Whoever is shown a letter's
        header may read it: with it nobody can say that the letter bounced.
        """
        return sign_token(self.keyring, Purpose.COMPLAINT, delivery_id)

    @property
    def complaint_address(self) -> str:
        """The value of CFBL-Address (RFC 9477 section 4.1): where providers report a reader's complaint, and how."""
        return f"{COMPLAINT_NAME}@{self.domain}; report=arf"

    def message_id(self, delivery_id: int) -> str:
        """The Message-ID of one delivery, the same at every try."""
        return f"<{self.message_id_local_part(delivery_id)}@{self.domain}>"

    def message_id_local_part(self, delivery_id: int) -> str:
        """What stands before the @ in it: 32 hex digits."""
        return self.keyring.fingerprint("message-id", str(delivery_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class ListIdentity:
    """A mailing list's addresses and header values."""

    site: Site
    mailing_list: MailingList

    def address(self, command: str = "", token: str = "") -> str:
        """`appeals@`, `appeals-leave@`, `appeals-leave+TOKEN@` of our domain."""
        local = self.mailing_list.name + (f"-{command}" if command else "") + (f"+{token}" if token else "")
        return f"{local}@{self.site.domain}"

    def leave_address(self, subscription_id: int) -> str:
        """The mailto way out of one subscription, for List-Unsubscribe alone."""
        return self.address("leave", sign_token(self.site.keyring, Purpose.LEAVE, subscription_id))

    def leave_reply_address(self, subscription_id: int) -> str:
        """Where a person's answer goes who was asked whether they want to leave."""
        return self.address("leave", sign_token(self.site.keyring, Purpose.LEAVE_REPLY, subscription_id))

    def confirm_address(self, subscription_id: int) -> str:
        """Where a reply that confirms goes."""
        return self.address("confirm", sign_token(self.site.keyring, Purpose.CONFIRM, subscription_id))

    def reply_address(self, subscription_id: int) -> str:
        """Where a person's answer to a letter goes."""
        return self.address("reply", sign_token(self.site.keyring, Purpose.REPLY, subscription_id))

    @property
    def list_id(self) -> str:
        """The RFC 2919 identifier, without the angle brackets."""
        return f"{self.mailing_list.name}.{self.site.domain}"

    @property
    def join_url(self) -> str:
        return f"{self.site.url}/join/{self.mailing_list.name}"
