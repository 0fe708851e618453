"""What mail systems send back, a short mail for each: written for these tests, in the manner of each system."""

from __future__ import annotations

from dataclasses import dataclass

LETTER = (
    "Received: from lists.example.org\nFrom: ada@lists.example.org\nTo: {to}\nSubject: Harvest on Saturday\n\nCome!\n"
)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A mail and what it says: a line `address weight reason` for each recipient."""

    system: str
    sender: str
    subject: str
    body: str
    kind: str = "bounce"
    expected: str = "rosa@example.net hard unknown_user"
    fields: str = ""

    @property
    def raw(self) -> bytes:
        head = f"From: {self.sender}\nTo: ada@lists.example.org\nSubject: {self.subject}\n{self.fields}"
        return f"{head}\n{self.body}".encode()

    @property
    def recipients(self) -> dict[str, tuple[str, str]]:
        lines = (line.split() for line in self.expected.strip().splitlines())
        return {address: (weight, reason) for address, weight, reason in lines}


def report(*groups: str, told: str = "Sorry.", to: str = "rosa@example.net", inner: str = "delivery-status") -> str:
    """The body of a multipart/report (RFC 3462) with boundary "b"."""
    fields = "\n\n".join(("Reporting-MTA: dns; mail.example.net", *(group.strip() for group in groups)))
    return (
        f"--b\nContent-Type: text/plain\n\n{told}\n\n--b\nContent-Type: message/{inner}\n\n{fields}\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{LETTER.format(to=to)}\n--b--\n"
    )


REPORT = 'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n'
DAEMON = "Mail Delivery System <MAILER-DAEMON@mail.example.net>"
GONE = "Final-Recipient: rfc822; rosa@example.net\nAction: failed\nStatus: 5.1.1\n"


def failed(status: str, said: str, address: str = "rosa@example.net") -> str:
    """A recipient's fields."""
    return f"Final-Recipient: rfc822; {address}\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; {said}"


STANDARD = [
    Sample(
        system="RFC 3464",
        sender=DAEMON,
        subject="Undelivered Mail Returned to Sender",
        fields=REPORT,
        body=report(failed("5.1.1", "550 5.1.1 <rosa@example.net>: User unknown")),
    ),
    Sample(
        system="RFC 3464 with three recipients",
        sender=DAEMON,
        subject="Undelivered Mail Returned to Sender",
        fields=REPORT,
        body=report(
            failed("5.2.2", "552 5.2.2 Mailbox full"),
            failed("5.1.2", "550 Host unknown", "emma@example.net"),
            "Final-Recipient: rfc822; bea@example.net\nAction: relayed\nStatus: 2.0.0",
        ),
        expected="rosa@example.net soft full\nemma@example.net hard unknown_host\nbea@example.net ignore receipt",
    ),
    Sample(
        system="RFC 3464 with an original recipient",
        sender=DAEMON,
        subject="Returned mail: see transcript for details",
        fields=REPORT,
        body=report(
            "Original-Recipient: rfc822;rosa@example.net\n" + failed("5.1.1", "550 no such user", "r17@inside")
        ),
    ),
    Sample(
        system="RFC 6533",
        sender=DAEMON,
        subject="Delivery Status Notification (Failure)",
        fields=REPORT.replace("delivery-status", "global-delivery-status"),
        body=report(
            "Final-Recipient: utf-8; rösa@example.net\nAction: failed\nStatus: 5.1.1", inner="global-delivery-status"
        ),
        expected="rösa@example.net hard unknown_user",
    ),
    Sample(
        system="RFC 3464 delay",
        sender=DAEMON,
        subject="Delayed Mail (still being retried)",
        fields=REPORT,
        body=report(
            "Final-Recipient: rfc822; rosa@example.net\nAction: delayed\nStatus: 4.4.1\nWill-Retry-Until: Friday"
        ),
        kind="delay",
        expected="rosa@example.net ignore unreachable",
    ),
    Sample(
        system="RFC 3461 success",
        sender=DAEMON,
        subject="Successful Mail Delivery Report",
        fields=REPORT,
        body=report("Final-Recipient: rfc822; rosa@example.net\nAction: delivered\nStatus: 2.0.0"),
        kind="receipt",
        expected="rosa@example.net ignore receipt",
    ),
    Sample(
        system="RFC 8098 receipt",
        sender="Rosa <rosa@example.net>",
        subject="Read: Harvest on Saturday",
        fields=REPORT.replace("delivery-status", "disposition-notification"),
        body=report(
            "Final-Recipient: rfc822; rosa@example.net\nDisposition: manual-action/MDN-sent-manually; deleted",
            inner="disposition-notification",
        ),
        kind="receipt",
        expected="rosa@example.net ignore receipt",
    ),
    Sample(
        system="a report without a boundary",
        sender=DAEMON,
        subject="Delivery failure",
        fields="Content-Type: multipart/report; report-type=delivery-status\n",
        body=report(GONE),
    ),
    Sample(
        system="a report as plain text",
        sender="postmaster@example.net",
        subject="Delivery failure",
        body=f"Your letter was not delivered.\n\nReporting-MTA: dns; example.net\n\n{GONE}\n",
    ),
    Sample(
        system="a report whose fields are not divided",
        sender=DAEMON,
        subject="Delivery failure",
        fields=REPORT,
        body=report(GONE + failed("5.2.2", "mailbox full", "emma@example.net")),
        expected="rosa@example.net hard unknown_user\nemma@example.net soft full",
    ),
    Sample(
        system="a report within a gateway's wrapping",
        sender="Gateway <postmaster@example.com>",
        subject="Returned mail",
        fields='Content-Type: multipart/mixed; boundary="g"\n',
        body=f"--g\nContent-Type: text/plain\n\nReturned.\n--g\nContent-Type: message/rfc822\n\nFrom: {DAEMON}\n"
        f"Subject: Returned mail\n{REPORT}\n{report(GONE)}\n--g--\n",
    ),
    Sample(
        system="a report passed on without a word",
        sender="Bea <bea@example.com>",
        subject="Fwd: Returned mail",
        fields='Content-Type: multipart/mixed; boundary="g"\n',
        body=f"--g\nContent-Type: message/rfc822\n\nFrom: {DAEMON}\nSubject: Returned mail\n{REPORT}\n{report(GONE)}\n--g--\n",
    ),
    Sample(
        system="gave up after five days",
        sender=DAEMON,
        subject="Undelivered Mail Returned to Sender",
        fields=REPORT,
        body=report(failed("4.4.1", "connect to mx.example.net[192.0.2.7]:25: Connection timed out")),
        expected="rosa@example.net soft unreachable",
    ),
    Sample(
        system="a domain that could not be found in time",
        sender=DAEMON,
        subject="Undelivered Mail Returned to Sender",
        fields=REPORT,
        body=report(failed("4.4.3", "Host or domain name not found. Name service error: try again")),
        expected="rosa@example.net soft unreachable",
    ),
]

SENDER_SIDE = [
    ("5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org", "blocked"),
    ("5.7.26", "550-5.7.26 This mail is unauthenticated, which poses a security risk", "authentication"),
    ("5.7.1", "550 5.7.1 <rosa@example.net>: Relay access denied", "relay_denied"),
    ("5.7.0", "554 5.7.0 Message rejected by policy", "policy"),
    ("4.7.28", "421-4.7.28 Our system has detected an unusual rate of unsolicited mail", "rate"),
    ("5.1.8", "553 5.1.8 <ada@lists.example.org>... Domain of sender address does not exist", "sender"),
    ("5.6.0", "554 5.6.0 Message contains a virus", "content"),
    ("5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", "restricted"),
    ("5.0.0", "550 rate limit exceeded, slow down", "rate"),
    ("5.0.0", "554 rejected after MAIL FROM: user unknown (in reply to MAIL FROM command)", "sender"),
]

SYSTEMS = [
    Sample(
        system="qmail",
        sender="MAILER-DAEMON@mail.example.net",
        subject="failure notice",
        body="Hi. This is the qmail-send program at mail.example.net.\nI'm afraid I wasn't able to deliver your message to "
        "the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<rosa@example.net>:\n192.0.2.7 does not like recipient.\nRemote host said: 550 5.1.1 no such mailbox\n"
        "Giving up on 192.0.2.7.\n\n<emma@example.com>:\nSorry, I couldn't find any host named example.com. (#5.1.2)\n\n"
        "--- Below this line is a copy of the message.\n\n" + LETTER,
        expected="rosa@example.net hard unknown_user\nemma@example.com hard unknown_host",
    ),
    Sample(
        system="qmail's kin",
        sender="MAILER-DAEMON@example.net",
        subject="failure notice",
        body="Hi. The MTA program at example.net was unable to deliver your message.\n\nrosa@example.net\n"
        "The user(s) account is temporarily over quota.\n\n--- Original message follows.\n\n" + LETTER,
        expected="rosa@example.net soft full",
    ),
    Sample(
        system="Exim",
        sender="Mail Delivery System <Mailer-Daemon@mail.example.net>",
        subject="Mail delivery failed: returning message to sender",
        fields="X-Failed-Recipients: rosa@example.net\nAuto-Submitted: auto-replied\n",
        body="This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        "delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
        "  rosa@example.net\n    host mx.example.net [192.0.2.7]\n    SMTP error from remote mail server after RCPT TO:"
        "<rosa@example.net>:\n    550 5.1.1 Unknown user\n\n------ This is a copy of the message, including all the "
        "headers. ------\n\n" + LETTER,
    ),
    Sample(
        system="Exim delay",
        sender="Mail Delivery System <Mailer-Daemon@mail.example.net>",
        subject="Warning: message 1abcde-000001-Aa delayed 24 hours",
        body="This message was created automatically by mail delivery software.\nA message that you sent has not yet been "
        "delivered to one or more of its\nrecipients after more than 24 hours on the queue on mail.example.net.\n\n"
        "The address to which the message has not yet been delivered is:\n\n  rosa@example.net\n    Delay reason: "
        "Connection timed out\n\nNo action is required on your part. Delivery attempts will continue for\nsome time.\n",
        kind="delay",
        expected="rosa@example.net ignore unreachable",
    ),
    Sample(
        system="Postfix without a report",
        sender="MAILER-DAEMON@mail.example.net (Mail Delivery System)",
        subject="Undelivered Mail Returned to Sender",
        body="This is the Postfix program at host mail.example.net.\n\nI'm sorry to have to inform you that your message "
        "could not\nbe delivered to one or more recipients.\n\nFor further assistance, please send mail to "
        "<postmaster@example.net>\n\n                     The Postfix program\n\n<rosa@example.net>: host mx.example.net"
        "[192.0.2.7] said: 550 5.1.1\n    <rosa@example.net>: Recipient address rejected: User unknown (in reply to RCPT\n"
        "    TO command)\n",
    ),
    Sample(
        system="sendmail",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@mail.example.net>",
        subject="Returned mail: see transcript for details",
        body="The original message was received at Sat, 3 Oct 2026 10:00:00 +0200\nfrom lists.example.org [192.0.2.9]\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n<rosa@example.net>\n    (reason: 550 5.1.1 "
        "User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.net.:\n>>> RCPT "
        "To:<rosa@example.net>\n<<< 550 5.1.1 User unknown\n",
    ),
    Sample(
        system="sendmail of old",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@example.net>",
        subject="Returned mail: Host unknown",
        body="   ----- Transcript of session follows -----\n550 <rosa@example.net>... Host unknown\n\n   ----- Unsent "
        "message follows -----\n" + LETTER,
        expected="rosa@example.net hard unknown_host",
    ),
    Sample(
        system="Exchange 2000",
        sender="System Administrator <postmaster@example.net>",
        subject="Undeliverable: Harvest on Saturday",
        body="Your message\n\n  To:      rosa@example.net\n  Subject: Harvest on Saturday\n  Sent:    Sat, 3 Oct 2026\n\n"
        "did not reach the following recipient(s):\n\nrosa@example.net on Sat, 3 Oct 2026 10:00:00 +0200\n    The recipient "
        "name is not recognized\n\tMSEXCH:IMS:Example:MAIL:MX 0 (000C05A6) Unknown Recipient\n",
    ),
    Sample(
        system="Exchange, in German",
        sender="Microsoft Outlook <postmaster@example.net>",
        subject="Unzustellbar: Harvest on Saturday",
        body="Ihre Nachricht konnte nicht an folgende Empfänger zugestellt werden:\n\nrosa@example.net\nDie von Ihnen "
        "eingegebene E-Mail-Adresse wurde nicht gefunden.\n\n#550 5.1.10 RESOLVER.ADR.RecipientNotFound ##\n",
    ),
    Sample(
        system="Office 365",
        sender="Microsoft Outlook <MicrosoftExchange329e@example.net>",
        subject="Undeliverable: Harvest on Saturday",
        fields=REPORT,
        body=report(
            failed("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. [mx.example.net 2026-10-03]"),
            told="Your message to rosa@example.net couldn't be delivered.",
        ),
    ),
    Sample(
        system="Gmail",
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        subject="Delivery Status Notification (Failure)",
        fields="X-Failed-Recipients: rosa@example.net\n",
        body="Delivery to the following recipient failed permanently:\n\n     rosa@example.net\n\nTechnical details of "
        "permanent failure:\nThe email account that you tried to reach is over quota.\n\n----- Original message -----\n"
        + LETTER,
        expected="rosa@example.net soft full",
    ),
    Sample(
        system="Gmail of today",
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        subject="Delivery Status Notification (Failure)",
        body="** Address not found **\n\nYour message wasn't delivered to rosa@example.net because the address couldn't be "
        "found, or is unable to receive mail.\n\nLearn more here: https://support.example.com/?p=NoSuchUser\n\nThe "
        "response was:\n\n550 5.1.1 The email account that you tried to reach does not exist.\n",
    ),
    Sample(
        system="Yahoo",
        sender="MAILER-DAEMON@yahoo.example",
        subject="Failure Notice",
        body="Sorry, we were unable to deliver your message to the following address.\n\n<rosa@example.net>:\n554: delivery "
        "error: dd This user doesn't have a example.net account (rosa@example.net) [0]\n\n--- Below this line is a copy "
        "of the message.\n\n" + LETTER,
    ),
    Sample(
        system="AOL of old",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@aol.example>",
        subject="Returned mail: User unknown",
        body="The original message was received at Sat, 3 Oct 2026\n\n   ----- The following addresses had permanent fatal "
        "errors -----\n<rosa@example.net>\n\n   ----- Transcript of session follows -----\n... while talking to "
        "air-xj03.example.net.:\n>>> RCPT To:<rosa@example.net>\n<<< 550 MAILBOX NOT FOUND\n",
    ),
    Sample(
        system="mail.ru",
        sender="mailer-daemon@corp.mail.example",
        subject="Ваше сообщение не доставлено. Mail failure.",
        body="Это письмо создано автоматически сервером, отвечать на него не нужно.\n\nК сожалению, Ваше письмо не может "
        "быть доставлено одному или нескольким получателям:\n\n  rosa@example.net\n    user not found\n",
    ),
    Sample(
        system="Yandex",
        sender="mailer-daemon@yandex.example",
        subject="Недоставленное сообщение",
        body="Это письмо отправлено почтовым сервером.\n\nК сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не "
        "может\nбыть отправлено одному или нескольким адресатам.\n\n<rosa@example.net>: host mx.example.net[192.0.2.7] "
        "said: 552 5.2.2 ящик переполнен (in reply to RCPT TO command)\n",
        expected="rosa@example.net soft full",
    ),
    Sample(
        system="1&1",
        sender='"Mail Delivery System" <mailer-daemon@kundenserver.example>',
        subject="Mail delivery failed: returning message to sender",
        body="This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        "delivered to one or more of\nits recipients. This is a permanent error. The following address(es)\nfailed:\n\n"
        "rosa@example.net:\nSMTP error from remote server for RCPT TO command, host: mx.example.net (192.0.2.7) reason: "
        "550 5.1.1 unknown recipient\n\n--- The header of the original message is following. ---\n\n" + LETTER,
    ),
    Sample(
        system="T-Online",
        sender="MAILER-DAEMON@mailout.example.net",
        subject="Mail delivery failed: returning message to sender",
        body="|------------------------- Message log follows: -------------------------|\n no valid recipients were found "
        "for this message\n|------------------------- Failed addresses follow: ---------------------|\n <rosa@example.net> "
        "... unknown user\n|------------------------- Message text follows: ------------------------|\n" + LETTER,
    ),
    Sample(
        system="Orange",
        sender="MAILER-DAEMON@orange.example",
        subject="Échec de la remise de votre message",
        body="Votre message n'a pas pu être remis aux destinataires suivants :\n\n<rosa@example.net>: 550 5.1.1 Adresse d au "
        "moins un destinataire invalide. Invalid recipient.\n",
    ),
    Sample(
        system="GroupWise",
        sender="Mailer-Daemon@example.net",
        subject="Mail System Error - Returned Mail",
        body="The message that you sent was undeliverable to the following:\n\trosa@example.net (user not found)\n\n"
        "Possibly truncated original message follows:\n\n" + LETTER,
    ),
    Sample(
        system="Domino",
        sender="Postmaster@example.net",
        subject="DELIVERY FAILURE: User rosa (rosa@example.net) not listed in Domino Directory",
        body="Your message\n\n  Subject: Harvest on Saturday\n\nwas not delivered to:\n\n  rosa@example.net\n\nbecause:\n\n  "
        "User rosa (rosa@example.net) not listed in Domino Directory\n",
    ),
    Sample(
        system="SMTP32, IMail",
        sender="Postmaster <postmaster@example.net>",
        subject="Undeliverable Mail",
        body="Unknown user: rosa@example.net\n\nOriginal message follows.\n\n" + LETTER,
    ),
    Sample(
        system="Mercury",
        sender="Electronic Postmaster <postmaster@example.net>",
        subject="Postmaster notification - delivery failure",
        body="The message with subject 'Harvest on Saturday' could not be delivered for the following reason:\n\n*** "
        "rosa@example.net\n    5.1.1 User not known at this site.\n\nA copy of your message follows.\n\n" + LETTER,
    ),
    Sample(
        system="CommuniGate",
        sender="<MAILER-DAEMON@example.net>",
        subject="Undeliverable mail: Harvest on Saturday",
        body="Failed to deliver to 'rosa@example.net'\nLOCAL module(account rosa) reports:\n account is full (quota "
        "exceeded)\n",
        expected="rosa@example.net soft full",
    ),
    Sample(
        system="MDaemon",
        sender="MDaemon@example.net",
        subject="Permanent Delivery Failure",
        body="The following data may contain sections which represent BINARY\nfile attachments.\n\nFailed address: "
        "rosa@example.net\n\n--- Session Transcript ---\n Sat 2026-10-03 10:00:00: <-- 550 <rosa@example.net>, Recipient "
        "unknown\n--- End Transcript ---\n",
    ),
    Sample(
        system="Kerio",
        sender="postmaster@example.net",
        subject="Returned mail: rosa@example.net",
        body="The message you sent could not be delivered to:\n\n  rosa@example.net\n\nReason: 550 5.1.1 User unknown in "
        "local user database\n",
    ),
    Sample(
        system="Sun Internet Mail",
        sender="Internet Mail Delivery <postmaster@mail.example.net>",
        subject="Delivery Notification: Delivery has failed",
        body="This report relates to a message you sent with the following header fields:\n\n  Message-id: "
        "<a@lists.example.org>\n  From: Ada <ada@lists.example.org>\n  To: rosa@example.net\n\nYour message cannot be "
        "delivered to the following recipients:\n\n  Recipient address: rosa@example.net\n  Reason: Rejection greeting "
        "returned by server.\n  Diagnostic code: smtp;550 5.1.1 unknown or illegal alias: rosa@example.net\n",
    ),
    Sample(
        system="LLNL",
        sender="postmaster@example.net",
        subject="Undelivered mail",
        body="Reason: The addressee is unknown.\n\n   rosa@example.net  is not a known user.\n",
    ),
    Sample(
        system="Mimecast",
        sender="Postmaster <postmaster@example.net>",
        subject="[Postmaster] Email Delivery Failure",
        body="This is a delivery failure notification message indicating that\nan email you addressed to email address :\n-- "
        "rosa@example.net\n\ncould not be delivered. The problem appears to be :\n-- Recipient email server rejected the "
        "message\n\nAdditional information follows :\n-- 5.4.1 Recipient address rejected: Access denied\n",
    ),
    Sample(
        system="Barracuda",
        sender="Barracuda Spam Firewall <postmaster@gw.example.net>",
        subject="**Message you sent blocked by our bulk email filter**",
        body="Your message to: rosa@example.net\nwas blocked by our Spam Firewall. The email you sent with the following "
        "subject has NOT BEEN DELIVERED:\n\nSubject: Harvest on Saturday\n",
        expected="rosa@example.net sender-side blocked",
    ),
    Sample(
        system="Amazon SES",
        sender="MAILER-DAEMON@eu-west-1.amazonses.example",
        subject="Delivery Status Notification (Failure)",
        body="An error occurred while trying to deliver the mail to the following recipients:\nrosa@example.net\n\n550 5.1.1 "
        "The email account does not exist\n",
    ),
    Sample(
        system="Amazon SNS",
        sender="AWS Notifications <no-reply@sns.example.com>",
        subject="AWS Notification Message",
        body='{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":'
        '"rosa@example.net","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}\n',
    ),
    Sample(
        system="SurgeMail",
        sender="mailer-daemon <postmaster@example.net>",
        subject="Could not deliver mail to: rosa@example.net",
        body="Your mail message to the following address(es) could not be delivered. This\nis a permanent error. Please verify "
        "the addresses and try again.\n\n<rosa@example.net>: 550 mailbox not found\n",
    ),
    Sample(
        system="XMail",
        sender="XMail PostMaster <postmaster@example.net>",
        subject="Error sending message [1] from [example.net]",
        body="[00] XMail bounce: Rcpt=[rosa@example.net];Error=[550 Mailbox unavailable <rosa@example.net>]\n\n\n[01] Error "
        "sending message [1] from [example.net].\n\nID:        <S1>\nMail From: <ada@lists.example.org>\nRcpt To:   "
        "<rosa@example.net>\n",
    ),
    Sample(
        system="MailEnable",
        sender="postmaster@example.net",
        subject="Message Delivery Failure",
        body="MailEnable: Message delivery has failed.\nMessage is attached.\n\nThe following recipient(s) could not be "
        "reached:\n\n Recipient: [SMTP:rosa@example.net]\n Reason: Remote SMTP Server Returned: 550 no such user here\n",
    ),
    Sample(
        system="hMailServer",
        sender="mailer-daemon@example.net",
        subject="Message undeliverable: Harvest on Saturday",
        body="Your message did not reach some or all of the intended recipients.\n\n   Sent: Sat, 3 Oct 2026 10:00:00\n   "
        "Subject: Harvest on Saturday\n\nThe following recipient(s) could not be reached:\n\nrosa@example.net\n   Error "
        "Type: SMTP\n   Remote server (192.0.2.7) issued an error.\n   hMailServer sent: RCPT TO:<rosa@example.net>\n   "
        "Remote server replied: 550 Unknown user\n\nhMailServer\n",
    ),
    Sample(
        system="James",
        sender="postmaster@example.net",
        subject="Re: Harvest on Saturday",
        body="Hi. This is the James mail server at example.net.\nI'm afraid I wasn't able to deliver your message to the "
        "following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "Failed recipient(s):\nrosa@example.net\n\nError message:\n550 5.1.1 User unknown\n",
    ),
    Sample(
        system="Courier",
        sender='"Courier mail server at example.net" <@>',
        subject="NOTICE: mail delivery status.",
        body="This is a delivery status notification from mail.example.net,\nrunning the Courier mail server.\n\n             "
        "              UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n"
        "<rosa@example.net>:\n    mx.example.net [192.0.2.7]:\n>>> RCPT TO:<rosa@example.net>\n<<< 550 User unknown.\n",
    ),
    Sample(
        system="OpenSMTPD",
        sender="Mailer Daemon <MAILER-DAEMON@example.net>",
        subject="Delivery status notification: error",
        body="    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while "
        "attempting to deliver a message for\n    the following list of recipients:\n\nrosa@example.net: 550 Invalid "
        "recipient\n\n    Below is a copy of the original message:\n\n" + LETTER,
    ),
    Sample(
        system="MailMarshal",
        sender="postmaster@example.net",
        subject="Undeliverable Mail: Harvest on Saturday",
        body="Your message:\n   From:    ada@lists.example.org\n   Subject: Harvest on Saturday\n\nCould not be delivered because "
        "of the following reason:\n\n   550 5.1.1 no such user\n\nThe following recipients were affected:\n   "
        "rosa@example.net\n",
    ),
    Sample(
        system="CompuServe",
        sender="Electronic Postmaster <POSTMASTER@compuserve.example>",
        subject="Undeliverable Message: Harvest on Saturday",
        body="Receiver not found: rosa\n\nYour message could not be delivered as addressed.\n\n--- Returned message ---\n\n"
        + LETTER.format(to="rosa@example.net"),
    ),
    Sample(
        system="InterScan",
        sender="InterScan Notification <postmaster@example.net>",
        subject="Mail could not be delivered",
        body="****** Message from InterScan Messaging Security Suite ******\n\nSent <<< RCPT TO:<rosa@example.net>\nReceived >>> "
        "550 5.1.1 user unknown\n\nUnable to deliver message to <rosa@example.net>.\n",
    ),
]

COMPLAINTS = [
    Sample(
        system="RFC 5965",
        sender="Feedback <fbl@provider.example>",
        subject="FW: Harvest on Saturday",
        fields=REPORT.replace("delivery-status", "feedback-report"),
        body=report(
            "Feedback-Type: abuse\nUser-Agent: Loop/1.0\nVersion: 1\nOriginal-Rcpt-To: <rosa@example.net>\n"
            "Original-Rcpt-To: emma@example.net",
            inner="feedback-report",
        ),
        kind="complaint abuse",
        expected="rosa@example.net ignore spam_complaint\nemma@example.net ignore spam_complaint",
    ),
    Sample(
        system="RFC 5965 without a recipient",
        sender="Feedback <fbl@provider.example>",
        subject="complaint",
        fields=REPORT.replace("delivery-status", "feedback-report"),
        body=report("Feedback-Type: fraud\nVersion: 1", inner="feedback-report"),
        kind="complaint fraud",
        expected="rosa@example.net ignore spam_complaint",
    ),
    Sample(
        system="an opt-out",
        sender="Feedback <fbl@provider.example>",
        subject="opt-out",
        fields=REPORT.replace("delivery-status", "feedback-report"),
        body=report("Feedback-Type: opt-out\nRemoval-Recipient: rosa@example.net", inner="feedback-report"),
        kind="complaint opt-out",
        expected="rosa@example.net ignore spam_complaint",
    ),
    Sample(
        system="Outlook.com's junk mail reports",
        sender="<staff@hotmail.com>",
        subject="complaint about message from 192.0.2.9",
        fields='Content-Type: multipart/mixed; boundary="b"\n',
        body="--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: rosa@example.net\n"
        + LETTER.format(to="ada@lists.example.org")
        + "--b--\n",
        kind="complaint abuse",
        expected="rosa@example.net ignore spam_complaint",
    ),
    Sample(
        system="Amazon SNS complaint",
        sender="AWS Notifications <no-reply@sns.example.com>",
        subject="AWS Notification Message",
        body='{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"rosa@example.net"}],'
        '"complaintFeedbackType":"abuse"}}\n',
        kind="complaint abuse",
        expected="rosa@example.net ignore spam_complaint",
    ),
]

QUOTED = "\n".join(f"> {line}" for line in SYSTEMS[0].body.splitlines())
NO_RETURNS = [
    Sample(
        system="a person's answer to a bounce",
        sender="Rosa <rosa@example.net>",
        subject="Re: failure notice",
        fields="In-Reply-To: <a@mail.example.net>\n",
        body=f"Dear Ada, is this address right?\n\nOn Saturday the Daemon wrote:\n{QUOTED}\n",
        kind="none",
        expected="",
    ),
    Sample(
        system="a bounce that a person passes on",
        sender="Rosa <rosa@example.net>",
        subject="Fwd: failure notice",
        body=f"What does this mean for our list?\n\n{SYSTEMS[0].body}",
        kind="none",
        expected="",
    ),
    Sample(
        system="a person with a bounce attached",
        sender="Rosa <rosa@example.net>",
        subject="I got this back",
        fields='Content-Type: multipart/mixed; boundary="g"\n',
        body="--g\nContent-Type: text/plain\n\nPlease look at what I got back.\n--g\nContent-Type: message/rfc822\n\n"
        f"From: {DAEMON}\n{REPORT}\n{report(GONE)}\n--g--\n",
        kind="none",
        expected="",
    ),
    Sample(
        system="a person about mail",
        sender="Rosa <rosa@example.net>",
        subject="Delivery problem on Saturday",
        body="The apples could not be delivered to the market, emma@example.net knows more.\n",
        kind="none",
        expected="",
    ),
    Sample(
        system="a newsletter",
        sender="News <no-reply@example.com>",
        subject="Our harvest news",
        body="Write to emma@example.net if you have apples.\n",
        kind="none",
        expected="",
    ),
    Sample(
        system="a vacation program",
        sender="Rosa <rosa@example.net>",
        subject="Automatic reply: Harvest on Saturday",
        fields="Auto-Submitted: auto-replied (vacation)\n",
        body="I am away until Monday. Your message was not delivered to emma@example.net.\n",
        kind="auto-reply",
        expected="rosa@example.net ignore vacation",
    ),
    Sample(
        system="a vacation program without marks",
        sender="Rosa <rosa@example.net>",
        subject="Abwesenheitsnotiz: Harvest",
        body="Ich bin bis Montag nicht im Büro.\n",
        kind="auto-reply",
        expected="rosa@example.net ignore vacation",
    ),
]
# The letter's reader where a sample says no other; a name of ours as recipient would be dropped.
ALL = [
    *STANDARD,
    *SYSTEMS,
    *COMPLAINTS,
    *NO_RETURNS,
    *(
        Sample(
            system=f"sender-side {number}",
            sender=DAEMON,
            subject="Undelivered Mail Returned to Sender",
            fields=REPORT,
            body=report(failed(status, said)),
            expected=f"rosa@example.net sender-side {reason}",
        )
        for number, (status, said, reason) in enumerate(SENDER_SIDE)
    ),
]
