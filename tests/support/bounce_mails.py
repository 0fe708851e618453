"""Mails that come back of a letter, as mail systems and providers write them."""

from __future__ import annotations

from tests.support.fake_relay_session import ReceivedLetter

UNKNOWN, FULL = "550 5.1.1 No such user here", "452 4.2.2 The mailbox is full"
BLOCKED = "554 5.7.1 Service unavailable; client host blocked, listed by bl.example.net"


def bounce(reader: str, diagnostic: str = UNKNOWN, action: str = "failed") -> bytes:
    """A report of RFC 3464 on one letter."""
    status = diagnostic.split()[1]
    return f"""\
From: MAILER-DAEMON@mx.example.org
To: bounce@lists.example.org
Subject: Undelivered Mail Returned to Sender
Message-ID: <{abs(hash((reader, diagnostic, action)))}@mx.example.org>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain

Your letter did not get there.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {reader}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--=_b--
""".replace("\n", "\r\n").encode()


def complaint(
    letter: ReceivedLetter, feedback_type: str = "abuse", *, keep: str = "all", reporter: str = "fbl@example.net"
) -> bytes:
    """A report of RFC 5965 on a letter, with its header; `keep` "none" leaves everything of ours out of it.

    `keep` can name the single field that is left, too.
    """
    head = letter.content.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ").replace("\r\n", "\n")
    kept = "\n".join(line for line in head.splitlines() if keep == "all" or line.lower().startswith(f"{keep.lower()}:"))
    return f"""\
From: {reporter}
To: abuse@lists.example.org
Subject: A complaint
Message-ID: <{abs(hash((kept, feedback_type, reporter)))}@example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"

--=_b
Content-Type: text/plain

A reader of yours does not want this.

--=_b
Content-Type: message/feedback-report

Feedback-Type: {feedback_type}
User-Agent: Feedback/1.0
Version: 1
Original-Rcpt-To: <{letter.recipient}>

--=_b
Content-Type: text/rfc822-headers

{kept or "X-Nothing: left"}

--=_b--
""".replace("\n", "\r\n").encode()
