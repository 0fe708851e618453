"""DKIM (RFC 6376): whether a domain that may speak for the author has signed a mail, unchanged since."""

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
from mailer.mail.message.header_section import HeaderSection
from mailer.network.dmarc_alignment import is_aligned
from mailer.network.dns import Dns

_MAX_FIELDS = 1000

_MAX_SIGNATURE_OCTETS = 8000
_LONG_GAP = re.compile(rb"\s{40}")
"""The verifier searches signatures with patterns that take quadratic time over these."""
_BODY_CANONICALIZED = {b"relaxed/relaxed": b"relaxed/simple", b"simple/relaxed": b"simple/simple"}


async def verify_dkim(
    dns: Dns, mail: bytes, section: HeaderSection, author: str, now: datetime
) -> tuple[str | None, str]:
    """The domain whose valid signature counts for `author`, the domain of From; and in words what came of it.

    The first five signatures are looked at, of them only those of domains that could be aligned; nothing is asked
    where there is none. One that is not of these days is not believed: whoever has got some mail of hers could go on
    speaking for her.
    """
    claims = [claim for claim in parse_dkim_signatures(section, now) if may_be_aligned(claim.domain, author)]
    if not claims or len(section.fields) > _MAX_FIELDS:
        return None, "no signature that counts"
    troubles = []
    # The author's own first: it costs no question about alignment.
    for claim in sorted(claims, key=lambda claim: claim.domain != author):
        try:
            refused = await _find_refusal_reason(dns, mail, section, claim, author)
        except DnsUnavailable as trouble:
            refused = str(trouble)
        if refused is None:
            return claim.domain, f"signed by {claim.domain}"
        troubles.append(f"{claim.domain}: {refused}")
    return None, troubles[0]


async def _find_refusal_reason(
    dns: Dns, mail: bytes, section: HeaderSection, claim: DkimSignatureHeader, author: str
) -> str | None:
    """Why this signature does not count, or None where it does."""
    if claim.stale_reason:
        return claim.stale_reason
    if not await is_aligned(dns, claim.domain, author, AuthenticationMethod.DKIM):
        return "it does not speak for the author"
    key = find_key_record(await dns.texts(claim.key_name))
    if key is None:
        return "there is no key"
    return key_refusal_reason(key, claim) or await asyncio.to_thread(_verify_signature, mail, section, claim, key)


class _Verifier(DKIM):  # type: ignore[misc]
    """One whose body is canonical already: its own way there takes quadratic time, and no other thread gets a turn.

    Its own look at the clock of this machine is left out: the times were judged before.
    """

    def verify_headerprep(self, idx: int = 0) -> Any:
        fields = [field for field in self.headers if field[0].lower() == b"dkim-signature"]
        sig = parse_tag_value(fields[idx][1])
        validate_signature_fields({tag: value for tag, value in sig.items() if tag not in {b"t", b"x"}})
        self.signature_fields, self.domain, self.selector = sig, sig[b"d"], sig[b"s"]
        names = [name.lower() for name in re.split(rb"\s*:\s*", sig[b"h"])]
        self.include_headers = tuple(names)
        if self.body:
            # The field itself is hashed as it stands; these tags only choose the algorithms.
            sig[b"c"] = _BODY_CANONICALIZED.get(sig.get(b"c"), sig.get(b"c", b"simple"))
        return sig, names, fields


def _verify_signature(mail: bytes, section: HeaderSection, claim: DkimSignatureHeader, key: str) -> str | None:
    body = canonicalize_body(mail[section.body_start :], relaxed=claim.relaxed_body)
    record = key.encode("ascii", "replace")
    try:
        verifier = _Verifier(section.octets + b"\r\n\r\n", minkey=MINIMUM_KEY_BITS)
        verifier.body = body
        field = [value for name, value in verifier.headers if name.lower() == b"dkim-signature"][claim.index]
        if len(field) > _MAX_SIGNATURE_OCTETS or _LONG_GAP.search(field):
            return "the signature is no usual one"
        valid = verifier.verify(claim.index, dnsfunc=lambda name, timeout: record)
    except (DKIMException, InvalidTagValueList, ValueError, IndexError):
        # ValueError: base64 that is none, numbers of thousands of digits; IndexError: an i= shorter than d=, a mail
        # that begins with white space.
        return "the signature is not valid"
    if not valid or verifier.domain.lower() != claim.domain.encode():
        return "the signature is not valid"
    return None
