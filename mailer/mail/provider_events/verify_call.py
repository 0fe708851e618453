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

from mailer.domain.provider_call import ProvenCall, ProviderCall
from mailer.errors import CallRefused, CallUnreadable
from mailer.mail.provider_events.json_access import part, read_json, text
from mailer.mail.provider_events.provider import Hook

_MAILGUN_RETRIES = timedelta(hours=9)
"""Mailgun comes again for eight hours, with the signature of the first time."""
_SENDGRID_RETRIES = timedelta(hours=25)
"""SendGrid comes again for a day."""
_LOGIN_RETRIES = timedelta(hours=25)
"""Brevo and Mailjet come again for a day, Postmark for half of one."""
_AHEAD = timedelta(minutes=5)
"""So much may a provider's clock be before ours."""
_SECONDS = re.compile(r"[0-9]{10}")
"""Exactly: Mailgun signs time and token without anything between them."""
_SIGNATURE_HEADER, _TIME_HEADER = (f"x-twilio-email-event-webhook-{name}" for name in ("signature", "timestamp"))


def prove_call(hook: Hook, call: ProviderCall, now: datetime) -> ProvenCall:
    """The call, proven; CallRefused or CallUnreadable. Not for Amazon's, see `sns_envelope`."""
    if hook.provider == "mailgun":
        return _prove_mailgun(hook, call, now)
    if hook.provider == "sendgrid":
        return _prove_sendgrid(hook, call, now)
    return _prove_login(hook, call, now)


def in_time(at: datetime, now: datetime, retries: timedelta) -> None:
    """CallRefused where it was signed longer ago than the provider tries again, or in the future."""
    if not now - retries <= at <= now + _AHEAD:
        raise CallRefused(f"it was signed at {at:%Y-%m-%d %H:%M} UTC")


def _prove_login(hook: Hook, call: ProviderCall, now: datetime) -> ProvenCall:
    """Postmark, Brevo, Mailjet: HTTP basic authentication (RFC 7617), or a bearer token (RFC 6750).

    Nothing in it is signed, so that its events' own time must do.
    """
    scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
    given = f"{scheme.lower()} {credentials.strip()}".encode()
    expected = (b"%s %s" % pair for secret in hook.secrets for pair in _spellings(secret))
    if not _is_one_of(given, expected):
        raise CallRefused("its login is not ours")
    name = f"{hook.provider} {hashlib.sha256(call.body).hexdigest()}"
    return ProvenCall(name=name, said=read_json(call.body), not_before=now - _LOGIN_RETRIES)


def _spellings(secret: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return (b"basic", base64.b64encode(secret)), (b"bearer", secret)


def _prove_mailgun(hook: Hook, call: ProviderCall, now: datetime) -> ProvenCall:
    said = read_json(call.body)
    signature = part(said, "signature")
    time, token, given = (text(part(signature, key), 200) for key in ("timestamp", "token", "signature"))
    if not (time and token and given):
        raise CallUnreadable("it has no signature")
    signed = f"{time}{token}".encode()
    expected = (hmac.new(secret, signed, hashlib.sha256).hexdigest().encode() for secret in hook.secrets)
    if not _is_one_of(given.encode(), expected):
        raise CallRefused("its signature is not of our key")
    in_time(_told_time(time), now, _MAILGUN_RETRIES)
    return ProvenCall(name=f"mailgun {token}", said=said)


def _prove_sendgrid(hook: Hook, call: ProviderCall, now: datetime) -> ProvenCall:
    time = call.headers.get(_TIME_HEADER, "")
    try:
        signature = base64.b64decode(call.headers.get(_SIGNATURE_HEADER, ""), validate=True)
    except (binascii.Error, ValueError):
        raise CallRefused("its signature is none") from None
    signed = time.encode() + call.body
    if not any(_verifies(key, signature, signed) for key in hook.public_keys):
        raise CallRefused("its signature is not of SendGrid's key for us")
    in_time(_told_time(time), now, _SENDGRID_RETRIES)
    return ProvenCall(name=f"sendgrid {hashlib.sha256(signed).hexdigest()}", said=read_json(call.body))


def _verifies(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _told_time(time: str) -> datetime:
    if not _SECONDS.fullmatch(time):
        raise CallRefused("it does not say when it was signed")
    return datetime.fromtimestamp(int(time), UTC)


def _is_one_of(given: bytes, expected: Iterable[bytes]) -> bool:
    """In a time that tells nothing of any: all are compared, and as digests, of one length."""
    digest = hashlib.sha256(given).digest()
    return any([hmac.compare_digest(digest, hashlib.sha256(one).digest()) for one in expected])
