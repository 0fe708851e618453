"""Amazon SNS: the envelope in which SES's notifications come, its signature, and the confirming of a subscription.

Which server is asked for the certificate, and told that we subscribe, follows from the topic, which is our own setting:
nothing in a message can send us anywhere else.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate

from mailer.domain.provider_call import ProviderCall, VerifiedCall
from mailer.errors import ProviderCallRefused, ProviderCallUnreadable
from mailer.mail.provider_events.json_access import get_path, parse_time, read_json
from mailer.mail.provider_events.provider import Provider
from mailer.mail.provider_events.verify_call import check_signing_time

NOTIFICATION, SUBSCRIPTION_CONFIRMATION, UNSUBSCRIBE_CONFIRMATION = (
    "Notification",
    "SubscriptionConfirmation",
    "UnsubscribeConfirmation",
)
_RETRIES = timedelta(hours=2)
"""SNS comes again for an hour."""
_SIGNED_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_OPTIONAL_FIELDS = {"Subject"}
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem")
# Version 1 is what a topic has unless told otherwise; nobody has yet made a second text for a given SHA-1 hash.
_HASHES = {"1": SHA1(), "2": SHA256()}  # noqa: S303


@dataclass(frozen=True, kw_only=True, slots=True)
class SnsMessage:
    """A message of SNS whose topic is one of ours; nothing else in it is believed before `verify`."""

    kind: str
    fields: dict[str, Any]
    host: str
    """The SNS server of the topic's region."""

    @property
    def certificate_url(self) -> str:
        """Where the certificate is; CallRefused where that is not the topic's own server."""
        url = self.fields.get("SigningCertURL")
        opening = f"https://{self.host}"
        if (
            not isinstance(url, str)
            or not url.startswith(opening)
            or not _CERTIFICATE_PATH.fullmatch(url[len(opening) :])
        ):
            raise ProviderCallRefused(f"its certificate is not at {opening}")
        return url

    @property
    def confirmation_url(self) -> str:
        """What to fetch to subscribe, built anew of the token (ConfirmSubscription in the API of SNS)."""
        asked = {"Action": "ConfirmSubscription", "TopicArn": self.fields["TopicArn"], "Token": self.fields["Token"]}
        return f"https://{self.host}/?{urlencode(asked)}"


def parse_sns_message(hook: Provider, call: ProviderCall) -> SnsMessage:
    """The message in a call; CallUnreadable where it is none, CallRefused where its topic is not ours."""
    fields = read_json(call.body)
    kind, topic = get_path(fields, "Type"), get_path(fields, "TopicArn")
    if kind not in (NOTIFICATION, SUBSCRIPTION_CONFIRMATION, UNSUBSCRIBE_CONFIRMATION) or not isinstance(topic, str):
        raise ProviderCallUnreadable("it is no message of Amazon SNS")
    if topic not in hook.topics:
        raise ProviderCallRefused(f"its topic is not one of ours: {topic[:300]!r}")
    _, partition, _, region, *_ = topic.split(":")
    host = f"sns.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")
    return SnsMessage(kind=kind, fields=fields, host=host)


def verify_sns_message(message: SnsMessage, certificate: Certificate, now: datetime) -> VerifiedCall:
    """The message, proven: what is said is its text. CallRefused where it is not signed by the certificate's key."""
    key, hashed = certificate.public_key(), _HASHES.get(str(message.fields.get("SignatureVersion")))
    if not isinstance(key, RSAPublicKey) or hashed is None:
        raise ProviderCallRefused("it is signed in a way that we do not know")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ProviderCallRefused("its certificate is out of date")
    try:
        signature = base64.b64decode(message.fields.get("Signature") or "", validate=True)
        key.verify(signature, _signed_text(message), PKCS1v15(), hashed)
    except (InvalidSignature, binascii.Error, TypeError, ValueError):
        raise ProviderCallRefused("its signature is not of Amazon's key") from None
    check_signing_time(parse_time(message.fields["Timestamp"], datetime.max.replace(tzinfo=now.tzinfo)), now, _RETRIES)
    return VerifiedCall(dedup_key=f"sns {message.fields['MessageId']}", payload=message.fields["Message"])


def _signed_text(message: SnsMessage) -> bytes:
    """What SNS signs: names and values, each on a line."""
    names = _SIGNED_NOTIFICATION if message.kind == NOTIFICATION else _SIGNED_CONFIRMATION
    lines = []
    for name in names:
        value = message.fields.get(name)
        if value is None and name in _OPTIONAL_FIELDS:
            continue
        if not isinstance(value, str):
            raise ProviderCallUnreadable(f"it has no {name}")
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode("utf-8", "surrogatepass")
