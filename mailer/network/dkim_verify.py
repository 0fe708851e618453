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

from mailer.domain.domain_alignment import may_be_one_organisation
from mailer.domain.sender_authentication import ProvenBy
from mailer.errors import DnsUnavailable
from mailer.mail.dkim.canonicalization import canonical_bytes
from mailer.mail.dkim.public_key import published_key, refused_key
from mailer.mail.dkim.signature_header import DkimClaim, dkim_claims
from mailer.mail.dkim.signing import SHORTEST_BITS
from mailer.mail.message.header_section import HeaderSection
from mailer.network.dmarc_alignment import aligned
from mailer.network.dns import Dns

_MOST_FIELDS = 1000

_LONGEST_SIGNATURE = 8000
_LONG_GAP = re.compile(rb"\s{40}")
"""The verifier searches signatures with patterns that take quadratic time over these."""
_BODY_DONE = {b"relaxed/relaxed": b"relaxed/simple", b"simple/relaxed": b"simple/simple"}


async def check_dkim(
    dns: Dns, mail: bytes, section: HeaderSection, author: str, now: datetime
) -> tuple[str | None, str]:
    """The domain whose valid signature counts for `author`, the domain of From; and in words what came of it.

    The first five signatures are looked at, of them only those of domains that could be aligned; nothing is asked
    where there is none. One that is not of these days is not believed: whoever has got some mail of hers could go on
    speaking for her.
    """
    claims = [claim for claim in dkim_claims(section, now) if may_be_one_organisation(claim.domain, author)]
    if not claims or len(section.fields) > _MOST_FIELDS:
        return None, "no signature that counts"
    troubles = []
    # The author's own first: it costs no question about alignment.
    for claim in sorted(claims, key=lambda claim: claim.domain != author):
        try:
            refused = await _refused(dns, mail, section, claim, author)
        except DnsUnavailable as trouble:
            refused = str(trouble)
        if refused is None:
            return claim.domain, f"signed by {claim.domain}"
        troubles.append(f"{claim.domain}: {refused}")
    return None, troubles[0]


async def _refused(dns: Dns, mail: bytes, section: HeaderSection, claim: DkimClaim, author: str) -> str | None:
    """Why this signature does not count, or None where it does."""
    if claim.stale:
        return claim.stale
    if not await aligned(dns, claim.domain, author, ProvenBy.DKIM):
        return "it does not speak for the author"
    key = published_key(await dns.texts(claim.key_name))
    if key is None:
        return "there is no key"
    return refused_key(key, claim) or await asyncio.to_thread(_refused_signature, mail, section, claim, key)


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
            sig[b"c"] = _BODY_DONE.get(sig.get(b"c"), sig.get(b"c", b"simple"))
        return sig, names, fields


def _refused_signature(mail: bytes, section: HeaderSection, claim: DkimClaim, key: str) -> str | None:
    body = canonical_bytes(mail[section.body_at :], relaxed=claim.relaxed_body)
    record = key.encode("ascii", "replace")
    try:
        verifier = _Verifier(section.octets + b"\r\n\r\n", minkey=SHORTEST_BITS)
        verifier.body = body
        field = [value for name, value in verifier.headers if name.lower() == b"dkim-signature"][claim.index]
        if len(field) > _LONGEST_SIGNATURE or _LONG_GAP.search(field):
            return "the signature is no usual one"
        valid = verifier.verify(claim.index, dnsfunc=lambda name, timeout: record)
    except (DKIMException, InvalidTagValueList, ValueError, IndexError):
        # ValueError: base64 that is none, numbers of thousands of digits; IndexError: an i= shorter than d=, a mail
        # that begins with white space.
        return "the signature is not valid"
    if not valid or verifier.domain.lower() != claim.domain.encode():
        return "the signature is not valid"
    return None
