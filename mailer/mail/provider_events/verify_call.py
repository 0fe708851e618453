"""Verifying that a call is the provider's: by HTTP login, Mailgun's HMAC, or SendGrid's ECDSA signature."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from mailer.domain.provider_call import ProviderCall, VerifiedCall
from mailer.errors import ProviderCallRefused, ProviderCallUnreadable
from mailer.mail.provider_events.json_access import get_path, get_text, read_json
from mailer.mail.provider_events.provider import Provider

_MAILGUN_RETRIES = timedelta(hours=9)
"""Mailgun repeats a call for eight hours, with its first signature."""
_SENDGRID_RETRIES = timedelta(hours=25)
"""SendGrid repeats a call for a day."""
_LOGIN_RETRIES = timedelta(hours=25)
"""Brevo and Mailjet repeat a call for a day, Postmark for half a day."""
_CLOCK_SKEW = timedelta(minutes=5)
"""A provider's clock may be this much ahead of ours."""
_SECONDS = re.compile(r"[0-9]{10}")
"""Exactly ten digits: Mailgun signs time and token without a separator."""
_SIGNATURE_HEADER, _TIME_HEADER = (f"x-twilio-email-event-webhook-{name}" for name in ("signature", "timestamp"))


def verify_call(provider: Provider, call: ProviderCall, now: datetime) -> VerifiedCall:
    """The verified call. Raises ProviderCallRefused or ProviderCallUnreadable. For SES see `sns_message`."""
    if provider.name == "mailgun":
        return _verify_mailgun(provider, call, now)
    if provider.name == "sendgrid":
        return _verify_sendgrid(provider, call, now)
    return _verify_login(provider, call, now)


def check_signing_time(at: datetime, now: datetime, retries: timedelta) -> None:
    """Raise ProviderCallRefused for a call signed longer ago than the provider repeats it, or in the future."""
    if not now - retries <= at <= now + _CLOCK_SKEW:
        raise ProviderCallRefused(f"it was signed at {at:%Y-%m-%d %H:%M} UTC")


def _verify_login(provider: Provider, call: ProviderCall, now: datetime) -> VerifiedCall:
    """Postmark, Brevo, Mailjet: HTTP basic authentication (RFC 7617), or a bearer token (RFC 6750).

    The call has no signed time, so that the age of its events is checked in its place.
    """
    scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
    given = f"{scheme.lower()} {credentials.strip()}".encode()
    expected = (b"%s %s" % pair for secret in provider.secrets for pair in _authorization_forms(secret))
    if not _matches_any(given, expected):
        raise ProviderCallRefused("its login is wrong")
    name = f"{provider.name} {hashlib.sha256(call.body).hexdigest()}"
    return VerifiedCall(dedup_key=name, payload=read_json(call.body), not_before=now - _LOGIN_RETRIES)


def _authorization_forms(secret: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return (b"basic", base64.b64encode(secret)), (b"bearer", secret)


def _verify_mailgun(provider: Provider, call: ProviderCall, now: datetime) -> VerifiedCall:
    payload = read_json(call.body)
    signature = get_path(payload, "signature")
    time, token, given = (get_text(get_path(signature, key), 200) for key in ("timestamp", "token", "signature"))
    if not (time and token and given):
        raise ProviderCallUnreadable("it has no signature")
    signed = f"{time}{token}".encode()
    expected = (hmac.new(secret, signed, hashlib.sha256).hexdigest().encode() for secret in provider.secrets)
    if not _matches_any(given.encode(), expected):
        raise ProviderCallRefused("its signature is not by our key")
    check_signing_time(_parse_signing_time(time), now, _MAILGUN_RETRIES)
    return VerifiedCall(dedup_key=f"mailgun {token}", payload=payload)


def _verify_sendgrid(provider: Provider, call: ProviderCall, now: datetime) -> VerifiedCall:
    time = call.headers.get(_TIME_HEADER, "")
    try:
        signature = base64.b64decode(call.headers.get(_SIGNATURE_HEADER, ""), validate=True)
    except (binascii.Error, ValueError):
        raise ProviderCallRefused("its signature is missing or not base64") from None
    signed = time.encode() + call.body
    if not any(_is_signed_by(key, signature, signed) for key in provider.public_keys):
        raise ProviderCallRefused("its signature is not by SendGrid's key for us")
    check_signing_time(_parse_signing_time(time), now, _SENDGRID_RETRIES)
    return VerifiedCall(dedup_key=f"sendgrid {hashlib.sha256(signed).hexdigest()}", payload=read_json(call.body))


def _is_signed_by(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _parse_signing_time(time: str) -> datetime:
    if not _SECONDS.fullmatch(time):
        raise ProviderCallRefused("its signing time is missing or malformed")
    return datetime.fromtimestamp(int(time), UTC)


def _matches_any(given: bytes, expected: Iterable[bytes]) -> bool:
    """Compare in constant time: with all expected values, as digests of equal length."""
    digest = hashlib.sha256(given).digest()
    return any([hmac.compare_digest(digest, hashlib.sha256(one).digest()) for one in expected])
