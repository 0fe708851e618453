"""The site (this installation) and its mailing lists as letters name them: addresses, links, ids."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from mailer.domain.command_address import COMPLAINT_NAME, RETURN_PATH_NAME
from mailer.domain.keyring import Keyring
from mailer.domain.letters.archive_paths import ARCHIVE_PAGE
from mailer.domain.mailing_list import MailingList
from mailer.domain.token import Purpose, sign_token


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """The name, the domain and the addresses of this installation."""

    name: str
    domain: str
    url: str
    """The base URL of the pages, without a slash at the end."""
    owner: str
    """The administrator's address, for mail that belongs to no list."""
    keyring: Keyring
    signed: bool = True
    """Whether letters are signed with DKIM; only signed letters may have a CFBL-Address (RFC 9477 section 3.1)."""

    @property
    def path(self) -> str:
        """The path of `url`, such as `/lists`, with which the paths of all pages begin; empty if `url` has none."""
        return urlsplit(self.url).path

    def media_url(self, path: str) -> str:
        """The URL of a picture or attachment (see MediaFile), by the path that texts name it by."""
        return f"{self.url}{path}"

    def link(self, page: str, purpose: Purpose, number: int) -> str:
        """A personal link, `https://.../leave/TOKEN`, whose signed token holds `number` for this purpose."""
        return f"{self.url}/{page}/{sign_token(self.keyring, purpose, number)}"

    def return_path(self, delivery_id: int) -> str:
        """The MAIL FROM address of one delivery: VERP with a signed token; its local part has 36 octets."""
        return f"{RETURN_PATH_NAME}+{self.bounce_token(delivery_id)}@{self.domain}"

    def bounce_token(self, delivery_id: int) -> str:
        """The token by which a bounce names its delivery."""
        return sign_token(self.keyring, Purpose.RETURN_PATH, delivery_id)

    def feedback_id(self, delivery_id: int) -> str:
        """The CFBL-Feedback-ID (RFC 9477 section 4.2) by which a complaint names a delivery.

        Anybody who sees the header of a letter can read it, so it is no token with which a bounce could be forged.
        """
        return sign_token(self.keyring, Purpose.COMPLAINT, delivery_id)

    @property
    def complaint_address(self) -> str:
        """The value of CFBL-Address (RFC 9477 section 4.1): where and how providers report a complaint."""
        return f"{COMPLAINT_NAME}@{self.domain}; report=arf"

    def message_id(self, delivery_id: int) -> str:
        """The Message-ID of one delivery, the same for every attempt."""
        return f"<{self.message_id_local_part(delivery_id)}@{self.domain}>"

    def message_id_local_part(self, delivery_id: int) -> str:
        """The part of the Message-ID before the @: 32 hex digits."""
        return self.keyring.fingerprint("message-id", str(delivery_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class ListIdentity:
    """The addresses and header values of a mailing list."""

    site: Site
    mailing_list: MailingList

    def address(self, command: str = "", token: str = "") -> str:
        """`appeals@`, `appeals-leave@` or `appeals-leave+TOKEN@` the site's domain."""
        local = self.mailing_list.name + (f"-{command}" if command else "") + (f"+{token}" if token else "")
        return f"{local}@{self.site.domain}"

    def leave_address(self, subscription_id: int) -> str:
        """The address to which any mail ends the subscription; for List-Unsubscribe only."""
        return self.address("leave", sign_token(self.site.keyring, Purpose.LEAVE, subscription_id))

    def leave_reply_address(self, subscription_id: int) -> str:
        """The reply address of the question whether a person wants to leave."""
        return self.address("leave", sign_token(self.site.keyring, Purpose.LEAVE_REPLY, subscription_id))

    def confirm_address(self, subscription_id: int) -> str:
        """The reply address of the question whether a person wants to subscribe."""
        return self.address("confirm", sign_token(self.site.keyring, Purpose.CONFIRM, subscription_id))

    def reply_address(self, subscription_id: int) -> str:
        """The Reply-To of the list's letters."""
        return self.address("reply", sign_token(self.site.keyring, Purpose.REPLY, subscription_id))

    @property
    def list_id(self) -> str:
        """The List-Id (RFC 2919), without the angle brackets."""
        return f"{self.mailing_list.name}.{self.site.domain}"

    @property
    def join_url(self) -> str:
        """The page on which people subscribe."""
        return f"{self.site.url}/join/{self.mailing_list.name}"

    @property
    def archive_url(self) -> str:
        """The page of the list's public archive."""
        return f"{self.site.url}/{ARCHIVE_PAGE}/{self.mailing_list.name}"
