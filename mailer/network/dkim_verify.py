"""Verifying DKIM (RFC 6376): whether a domain that is aligned with the author's signed a mail."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Any

from dkim import (  # type: ignore[import-untyped]
    DKIM,
    DKIMException,
    InvalidTagValueList,
    validate_signature_fields,
)
from dkim.util import parse_tag_value  # type: ignore[import-untyped]

from mailer.domain.sender_authentication import AuthenticationMethod, may_be_aligned
from mailer.errors import DnsUnavailable
from mailer.mail.dkim.canonicalization import canonicalize_body
from mailer.mail.dkim.public_key import find_key_record, key_refusal_reason
from mailer.mail.dkim.signature_header import DkimSignatureHeader, parse_dkim_signatures
from mailer.mail.dkim.signing import MINIMUM_KEY_BITS
from mailer.mail.message.parsed_message import ParsedMessage
from mailer.network.dmarc_alignment import is_aligned
from mailer.network.dns import Dns

_MAX_FIELDS = 1000

_MAX_SIGNATURE_OCTETS = 8000
_LONG_GAP = re.compile(rb"\s{40}")
"""dkimpy searches signatures with patterns that take quadratic time over long white space."""
_BODY_CANONICALIZED = {b"relaxed/relaxed": b"relaxed/simple", b"simple/relaxed": b"simple/simple"}


async def verify_dkim(dns: Dns, mail: ParsedMessage, author: str, now: datetime) -> tuple[str | None, str]:
    """The domain whose valid signature authenticates `author`, the domain in From; and a reason in words.

    Of the first five signatures those are verified whose domain can be aligned; if there is none, no DNS query is made.
    An old signature is refused, since anybody who received the mail could replay it.
    """
    candidates = [one for one in parse_dkim_signatures(mail.header, now) if may_be_aligned(one.domain, author)]
    if not candidates or len(mail.header.fields) > _MAX_FIELDS:
        return None, "no signature that counts"
    reasons = []
    # The author's own first: alignment then needs no DNS query.
    for signature in sorted(candidates, key=lambda one: one.domain != author):
        try:
            reason = await _find_refusal_reason(dns, mail, signature, author)
        except DnsUnavailable as error:
            reason = str(error)
        if reason is None:
            return signature.domain, f"signed by {signature.domain}"
        reasons.append(f"{signature.domain}: {reason}")
    return None, reasons[0]


async def _find_refusal_reason(
    dns: Dns, mail: ParsedMessage, signature: DkimSignatureHeader, author: str
) -> str | None:
    """Why the signature does not authenticate the author; None if it does."""
    if signature.stale_reason:
        return signature.stale_reason
    if not await is_aligned(dns, signature.domain, author, AuthenticationMethod.DKIM):
        return "it does not speak for the author"
    key = find_key_record(await dns.texts(signature.key_name))
    if key is None:
        return "there is no key"
    return key_refusal_reason(key, signature) or await asyncio.to_thread(_verify_signature, mail, signature, key)


class _Verifier(DKIM):  # type: ignore[misc]
    """A dkimpy verifier for a body that is canonicalized already.

    dkimpy's own canonicalization takes quadratic time while it blocks all threads. Its check of t= and x= against the
    system clock is left out, since `DkimSignatureHeader.stale_reason` covers them.
    """

    def verify_headerprep(self, idx: int = 0) -> Any:
        fields = [field for field in self.headers if field[0].lower() == b"dkim-signature"]
        sig = parse_tag_value(fields[idx][1])
        validate_signature_fields({tag: value for tag, value in sig.items() if tag not in {b"t", b"x"}})
        self.signature_fields, self.domain, self.selector = sig, sig[b"d"], sig[b"s"]
        names = [name.lower() for name in re.split(rb"\s*:\s*", sig[b"h"])]
        self.include_headers = tuple(names)
        if self.body:
            # The signature covers the field as it is; changing these tags only changes the algorithms used.
            sig[b"c"] = _BODY_CANONICALIZED.get(sig.get(b"c"), sig.get(b"c", b"simple"))
        return sig, names, fields


def _verify_signature(mail: ParsedMessage, signature: DkimSignatureHeader, key: str) -> str | None:
    """Why the signature is invalid; None if it is valid."""
    body = canonicalize_body(mail.raw[mail.header.body_start :], relaxed=signature.relaxed_body)
    record = key.encode("ascii", "replace")
    try:
        verifier = _Verifier(mail.header.octets + b"\r\n\r\n", minkey=MINIMUM_KEY_BITS)
        verifier.body = body
        field = [value for name, value in verifier.headers if name.lower() == b"dkim-signature"][signature.index]
        if len(field) > _MAX_SIGNATURE_OCTETS or _LONG_GAP.search(field):
            return "the signature has an unusual form"
        valid = verifier.verify(signature.index, dnsfunc=lambda name, timeout: record)
    except (DKIMException, InvalidTagValueList, ValueError, IndexError):
        # ValueError: malformed base64, numbers of thousands of digits; IndexError: an i= shorter than d=, a mail that
        # begins with white space.
        return "the signature is not valid"
    if not valid or verifier.domain.lower() != signature.domain.encode():
        return "the signature is not valid"
    return None
