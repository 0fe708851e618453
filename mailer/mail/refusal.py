"""What a mail system's refusal speaks of: one letter and its reader, our pace, or ourselves."""

from __future__ import annotations

import re

from mailer.domain.delivery import Concern

_PACE = frozenset({421, 450, 451, 454})
"""RFC 5321 section 4.2.3, and 454 of RFC 3207 and RFC 4954: in a while it may be different."""
_LOGIN = frozenset({530, 534, 535, 538})
"""RFC 4954 section 6: it does not know us."""
_MOST_READ = 2000
_ENHANCED = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")
_ADDRESS = re.compile(r"<[^<>\s]*>|[^\s<>@]+@[^\s<>@]+")
"""Left out before words are read: an address says nothing of why."""

_LETTER_CODE = re.compile(r"5\.1\.(?:[12346]|10)|5\.2\.\d+|5\.3\.4|5\.4\.1|5\.6\.\d+|5\.7\.(?:2|13|1[789]|1\d\d)")
"""RFC 3463 and RFC 7293: the mailbox, its domain, whom it takes mail from, or how long or odd the letter is. Exchange
says 5.4.1 for a mailbox that is not there, and 5.7.1xx for one that takes mail from few."""
_SENDER_CODE = re.compile(r"5\.1\.[78]|5\.7\.(?:8|9|2\d|54|[567]\d\d)")
"""RFC 3463 for the sender's address, RFC 4954 for our login, RFC 7372 and RFC 7505 for SPF, DKIM, DMARC and reverse
DNS. Exchange says 5.7.54 for relaying, and 5.7.5xx to 5.7.7xx for senders it has banned."""

_SENDER = re.compile(
    r"""
      (?:sender|mail-?\ ?from|\bfrom)\W+(?:address\W+|domain\W+)?(?:is\W+)?
        (?:rejected|refused|denied|blocked|listed|unknown|not\ (?:allowed|accepted|owned|permitted|exist)|invalid)
    | (?:unroutable|invalid|bad|unknown|unverified|verified|valid)\W+(?:sender|return\W+path) | domain\ of\ sender
    | not\ (?:a\ )?verified | verify\ (?:the\ )?sender | sender\W+(?:identity|signature|verif|does\ not|doesn't)
    # how much we send
    | (?:sender|sending|daily|hourly|rate)\W+(?:\w+\W+){0,2}?(?:quota|limit)\b.{0,40}exceed
    | (?:quota|limit)\W+(?:of|for)\W+(?:the\W+)?send
    | exceed.{0,40}(?:per\ (?:minute|hour|day)|(?:sending|sender|daily|hourly|rate)\W+(?:quota|limit))\b
    """,
    re.VERBOSE,
)
"""Our address by name, or how much we send: whatever else is said."""
_READER = re.compile(
    r"""
      (?<!your\ )(?:user|recipient|mailbox|account|addressee)\W+(?:\w+\W+){0,4}?
        (?:unknown|exist|not\ (?:found|known)|inactive|disabled|suspended|discontinued|full|over\W?quota|unavailable)
    | (?:unknown|invalid|no\ such|illegal|disabled|not\ a\W+\w+)\W+(?:local\W+)?(?:user|recipient|mailbox|account)
    | (?:mailbox|inbox|disk|user)\W+(?:\w+\W+){0,3}?quota | no\ mailbox | no\ longer\ on\ server | not\ our\ customer
    | recipient\ preferences | resolver\.(?:rst|adr) | to\ (?:post|send|write)\ to\ th(?:is|e)\b
    # or what is in the letter
    | message\ content | content\ (?:rejected|policy) | virus | attachment | (?:ur[il]|link)s?\ in\b | uribl | surbl
    | duplicate\ header
    """,
    re.VERBOSE,
)
_US = re.compile(
    r"""
    # relaying
      relay(?:ing)?\W+(?:\w+\W+){0,2}?(?:denied|prohibited|permitted|allowed|disabled|not)\b
    | (?:no|not|cannot|unable\ to|insecure)\W+(?:\w+\W+){0,2}?relay | allowed\ rcpthosts
    # credentials, and what we may do
    | authentication\W+(?:is\W+)?(?:required|information) | (?:must|please)\W+(?:first\W+)?(?:authenticate|log\ ?in)
    | unauthenticated | not\ authenticated | un-?authori[sz]ed | not\ authori[sz]ed | access\ denied
    | not\ (?:allowed|permitted)\ to\ (?:send|use|submit|connect)
    # where we come from
    | your\W+(?:\w+\W+){0,2}?(?:account|domain|host|hostname|ip|network|server|reputation)\b
    | \bptr\b | reverse\ dns | \brdns\b | \bip=\d | mismatches\ client | server\ of\ your\ isp
    | (?:client|sending|source)\W+(?:\w+\W+){0,2}?(?:host|ip|network|server|hostname)\b
    | (?:ip|host|server|network)\W+(?:\w+\W+){0,3}?(?:rejected|refused|blocked|banned|denied|limited)\b
    | (?:blocked|banned|denied)\W+(?:\w+\W+){0,2}?(?:ip|host|server|network)\b
    | (?:helo|ehlo)\W+(?:command\W+|name\W+)?(?:rejected|invalid|denied) | (?:bad|invalid)\W+(?:helo|ehlo)\b
    # lists and reputation
    | (?:black|block|deny)-?\ ?list(?:ed)?\b | \b(?:dns|r)bl\b | blocked\ (?:using|by)\b | reputation
    | spamhaus | spamcop | \bsorbs\b | barracuda | proofpoint | uceprotect | abuseat | cloudmark | senderscore
    # who vouches for our mail, and the rules for it
    | \bspf\b | \bdkim\b | \bdmarc\b | purported\ responsible | polic(?:y|ies)\b
    """,
    re.VERBOSE,
)


def concern_of(code: int, text: str) -> Concern:
    """Whom a refusal concerns: `code` as in SMTP, `text` as it was said, an enhanced status code (RFC 3463) included.

    Codes outweigh words; and words about the reader outweigh those about us, so that a mailbox that is gone never
    counts as our trouble.
    """
    if code in _PACE:
        return Concern.PACE
    if code in _LOGIN:
        return Concern.US
    return Concern.US if code // 100 == 5 and _is_about_us(text[:_MOST_READ]) else Concern.LETTER


def _is_about_us(text: str) -> bool:
    enhanced = _ENHANCED.search(text)
    if enhanced and _LETTER_CODE.fullmatch(enhanced[0]):
        return False
    if enhanced and _SENDER_CODE.fullmatch(enhanced[0]):
        return True
    words = _ADDRESS.sub(" ", _ENHANCED.sub(" ", text)).lower()
    if _SENDER.search(words):
        return True
    return not _READER.search(words) and _US.search(words) is not None
