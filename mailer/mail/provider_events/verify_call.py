"""Whether a call is the provider's: by a shared login, Mailgun's HMAC, or SendGrid's ECDSA signature."""

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
"""Mailgun comes again for eight hours, with the signature of the first time."""
_SENDGRID_RETRIES = timedelta(hours=25)
"""SendGrid comes again for a day."""
_LOGIN_RETRIES = timedelta(hours=25)
"""Brevo and Mailjet come again for a day, Postmark for half of one."""
_CLOCK_SKEW = timedelta(minutes=5)
"""So much may a provider's clock be before ours."""
_SECONDS = re.compile(r"[0-9]{10}")
"""Exactly: Mailgun signs time and token without anything between them."""
_SIGNATURE_HEADER, _TIME_HEADER = (f"x-twilio-email-event-webhook-{name}" for name in ("signature", "timestamp"))


def verify_call(hook: Provider, call: ProviderCall, now: datetime) -> VerifiedCall:
    """The call, proven; CallRefused or CallUnreadable. Not for Amazon's, see `sns_envelope`."""
    if hook.name == "mailgun":
        return _verify_mailgun(hook, call, now)
    if hook.name == "sendgrid":
        return _verify_sendgrid(hook, call, now)
    return _verify_login(hook, call, now)


def check_signing_time(at: datetime, now: datetime, retries: timedelta) -> None:
    """CallRefused where it was signed longer ago than the provider tries again, or in the future."""
    if not now - retries <= at <= now + _CLOCK_SKEW:
        raise ProviderCallRefused(f"it was signed at {at:%Y-%m-%d %H:%M} UTC")


def _verify_login(hook: Provider, call: ProviderCall, now: datetime) -> VerifiedCall:
    """Postmark, Brevo, Mailjet: HTTP basic authentication (RFC 7617), or a bearer token (RFC 6750).

    Nothing in it is signed, so that its events' own time must do.
    """
    scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
    given = f"{scheme.lower()} {credentials.strip()}".encode()
    expected = (b"%s %s" % pair for secret in hook.secrets for pair in _authorization_forms(secret))
    if not _matches_any(given, expected):
        raise ProviderCallRefused("its login is not ours")
    name = f"{hook.name} {hashlib.sha256(call.body).hexdigest()}"
    return VerifiedCall(dedup_key=name, payload=read_json(call.body), not_before=now - _LOGIN_RETRIES)


def _authorization_forms(secret: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return (b"basic", base64.b64encode(secret)), (b"bearer", secret)


def _verify_mailgun(hook: Provider, call: ProviderCall, now: datetime) -> VerifiedCall:
    said = read_json(call.body)
    signature = get_path(said, "signature")
    time, token, given = (get_text(get_path(signature, key), 200) for key in ("timestamp", "token", "signature"))
    if not (time and token and given):
        raise ProviderCallUnreadable("it has no signature")
    signed = f"{time}{token}".encode()
    expected = (hmac.new(secret, signed, hashlib.sha256).hexdigest().encode() for secret in hook.secrets)
    if not _matches_any(given.encode(), expected):
        raise ProviderCallRefused("its signature is not of our key")
    check_signing_time(_parse_signing_time(time), now, _MAILGUN_RETRIES)
    return VerifiedCall(dedup_key=f"mailgun {token}", payload=said)


def _verify_sendgrid(hook: Provider, call: ProviderCall, now: datetime) -> VerifiedCall:
    time = call.headers.get(_TIME_HEADER, "")
    try:
        signature = base64.b64decode(call.headers.get(_SIGNATURE_HEADER, ""), validate=True)
    except (binascii.Error, ValueError):
        raise ProviderCallRefused("its signature is none") from None
    signed = time.encode() + call.body
    if not any(_is_signed_by(key, signature, signed) for key in hook.public_keys):
        raise ProviderCallRefused("its signature is not of SendGrid's key for us")
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
        raise ProviderCallRefused("it does not say when it was signed")
    return datetime.fromtimestamp(int(time), UTC)


def _matches_any(given: bytes, expected: Iterable[bytes]) -> bool:
    """In a time that tells nothing of any: all are compared, and as digests, of one length."""
    digest = hashlib.sha256(given).digest()
    return any([hmac.compare_digest(digest, hashlib.sha256(one).digest()) for one in expected])
