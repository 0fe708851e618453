"""Amazon SNS messages, in which SES notifications come: parsing, verifying their signature, confirming a subscription.

The server of the certificate and of the confirmation follows from the topic, which is our own setting: no URL in a
message decides where requests go.
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
"""SNS repeats a call for an hour."""
_SIGNED_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_OPTIONAL_FIELDS = {"Subject"}
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem")
# Version 1 is a topic's default; no second preimage of SHA-1 is known.
_HASHES = {"1": SHA1(), "2": SHA256()}  # noqa: S303


@dataclass(frozen=True, kw_only=True, slots=True)
class SnsMessage:
    """An SNS message whose topic is one of ours; not verified before `verify_sns_message`."""

    kind: str
    fields: dict[str, Any]
    host: str
    """The SNS server of the topic's region."""

    @property
    def certificate_url(self) -> str:
        """The URL of the certificate. Raises ProviderCallRefused where it is not on the topic's server."""
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
        """The URL that confirms the subscription, built from the token (ConfirmSubscription in the SNS API)."""
        query = {"Action": "ConfirmSubscription", "TopicArn": self.fields["TopicArn"], "Token": self.fields["Token"]}
        return f"https://{self.host}/?{urlencode(query)}"


def parse_sns_message(provider: Provider, call: ProviderCall) -> SnsMessage:
    """The message in a call. Raises ProviderCallUnreadable for other formats, ProviderCallRefused for other topics."""
    fields = read_json(call.body)
    kind, topic = get_path(fields, "Type"), get_path(fields, "TopicArn")
    if kind not in (NOTIFICATION, SUBSCRIPTION_CONFIRMATION, UNSUBSCRIBE_CONFIRMATION) or not isinstance(topic, str):
        raise ProviderCallUnreadable("its body is not an Amazon SNS message")
    if topic not in provider.topics:
        raise ProviderCallRefused(f"its topic is not one of ours: {topic[:300]!r}")
    _, partition, _, region, *_ = topic.split(":")
    host = f"sns.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")
    return SnsMessage(kind=kind, fields=fields, host=host)


def verify_sns_message(message: SnsMessage, certificate: Certificate, now: datetime) -> VerifiedCall:
    """The verified call; its payload is the Message text. Raises ProviderCallRefused where the signature is wrong."""
    key, hashed = certificate.public_key(), _HASHES.get(str(message.fields.get("SignatureVersion")))
    if not isinstance(key, RSAPublicKey) or hashed is None:
        raise ProviderCallRefused("its signature version or key type is unknown")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ProviderCallRefused("its certificate is out of date")
    try:
        signature = base64.b64decode(message.fields.get("Signature") or "", validate=True)
        key.verify(signature, _signed_text(message), PKCS1v15(), hashed)
    except (InvalidSignature, binascii.Error, TypeError, ValueError):
        raise ProviderCallRefused("its signature is not by Amazon's key") from None
    check_signing_time(parse_time(message.fields["Timestamp"], datetime.max.replace(tzinfo=now.tzinfo)), now, _RETRIES)
    return VerifiedCall(dedup_key=f"sns {message.fields['MessageId']}", payload=message.fields["Message"])


def _signed_text(message: SnsMessage) -> bytes:
    """The octets that SNS signs: names and values, one a line."""
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
