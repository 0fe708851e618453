"""Calls of mail providers with invented events, in the formats that their documentation describes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from mailer.mail.provider_events.provider import Provider, read_public_keys

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:returns"
SNS_HOST = "sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"https://{SNS_HOST}/SimpleNotificationService-0123456789abcdef.pem"
MAILGUN_KEY, LOGIN = b"key-of-the-harvest-forum", b"mailer:a-long-enough-password"
HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def certificate(
    key: Any, common_name: str = "sns.amazonaws.com", *, days: int = 2000, hosts: tuple[str, ...] = ()
) -> x509.Certificate:
    """One that its own key signs."""
    made = (
        x509.CertificateBuilder()
        .subject_name(name(common_name))
        .issuer_name(name(common_name))
        .public_key(key.public_key())
    )
    made = made.serial_number(7).not_valid_before(NOW - timedelta(days=2000)).not_valid_after(NOW + timedelta(days))
    if hosts:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
    return made.sign(key, hashes.SHA256())


def pem(one: x509.Certificate) -> bytes:
    return one.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class ProviderKeys:
    """Those who hold the keys."""

    sendgrid: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    sns: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def providers(self) -> dict[str, Provider]:
        """By which we know them."""
        der = self.sendgrid.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        keys = read_public_keys([base64.b64encode(der).decode()])
        return {
            "ses": Provider(name="ses", topics=(TOPIC,)),
            "mailgun": Provider(name="mailgun", secrets=(MAILGUN_KEY,)),
            "sendgrid": Provider(name="sendgrid", public_keys=keys),
        } | {one: Provider(name=one, secrets=(LOGIN,)) for one in ("postmark", "brevo", "mailjet")}

    def call(self, provider: str, payload: Any, at: datetime = NOW) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of a genuine call."""
        if provider == "ses":
            return self.notification(json.dumps(payload), at), {"content-type": "text/plain; charset=UTF-8"}
        if provider == "mailgun":
            return self.mailgun(payload, at), {}
        body = json.dumps(payload).encode()
        if provider == "sendgrid":
            return body, self.sendgrid_headers(body, at)
        return body, {"authorization": f"Basic {base64.b64encode(LOGIN).decode()}"}

    def mailgun(self, payload: Any, at: datetime = NOW, token: str = "t" * 50) -> bytes:
        time = str(int(at.timestamp()))
        mac = hmac.new(MAILGUN_KEY, (time + token).encode(), hashlib.sha256).hexdigest()
        signature = {"timestamp": time, "token": token, "signature": mac}
        return json.dumps({"signature": signature, "event-data": payload}).encode()

    def sendgrid_headers(self, body: bytes, at: datetime = NOW) -> dict[str, str]:
        time = str(int(at.timestamp()))
        signature = self.sendgrid.sign(time.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": time,
        }

    def notification(self, message: str, at: datetime = NOW, **changed: str) -> bytes:
        """A message of SNS; what is `changed` is signed, too."""
        fields = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": message,
            "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE,
        } | changed
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        if fields["Type"] != "Notification":
            names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        signed = "".join(f"{one}\n{fields[one]}\n" for one in names if one in fields).encode()
        signature = self.sns.sign(signed, PKCS1v15(), HASHES[fields["SignatureVersion"]])
        return json.dumps(fields | {"Signature": base64.b64encode(signature).decode()}).encode()

    def confirmation(self, at: datetime = NOW, **changed: str) -> bytes:
        """SNS asks whether we want to hear of a topic."""
        own = {
            "Type": "SubscriptionConfirmation",
            "Token": "2336412f37fb687f5d51e6e241d7700a",
            "SubscribeURL": f"https://{SNS_HOST}/?Action=ConfirmSubscription&Token=2336412f37fb687f5d51e6e241d7700a",
        }
        return self.notification("You have chosen to subscribe to the topic.", at, **(own | changed))


def ses_bounce(to: str = "rosa@example.org", source: str = "", message_id: str = "", **changed: Any) -> dict[str, Any]:
    """Amazon SES: an address that is not there."""
    recipient = {
        "emailAddress": to,
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": f"smtp; 550 5.1.1 <{to}>: Recipient address rejected: User unknown",
    }
    bounce = {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [recipient],
        "timestamp": "2027-03-01T07:59:38.237Z",
        "feedbackId": "0102017b-0000",
        "reportingMTA": "dsn; a8-50.smtp-out.amazonses.com",
    }
    return {
        "notificationType": "Bounce",
        "bounce": bounce | changed,
        "mail": {
            "timestamp": "2027-03-01T07:58:00.000Z",
            "source": source,
            "messageId": "0102017b-aaaa",
            "destination": [to],
            "headersTruncated": False,
            "headers": [{"name": "Message-ID", "value": message_id}],
            "commonHeaders": {"returnPath": source, "messageId": message_id, "subject": "Come to the harvest forum"},
        },
    }


def mailgun_failed(
    to: str = "rosa@example.org", sender: str = "", message_id: str = "", **changed: Any
) -> dict[str, Any]:
    """Mailgun: an address that is not there."""
    return {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1803887978.237,
        "log-level": "error",
        "recipient": to,
        "envelope": {"sender": sender, "targets": to, "transport": "smtp"},
        "message": {"headers": {"from": "Appeals", "to": to, "message-id": message_id}, "size": 341},
        "delivery-status": {
            "attempt-no": 1,
            "code": 550,
            "enhanced-code": "5.1.1",
            "bounce-type": "hard",
            "message": "5.1.1 The email account that you tried to reach does not exist",
            "description": "",
        },
    } | changed


def postmark_bounce(to: str = "rosa@example.org", kind: str = "HardBounce", **changed: Any) -> dict[str, Any]:
    """Postmark: an address that is not there."""
    return {
        "RecordType": "Bounce",
        "MessageStream": "broadcast",
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist",
        "Description": "The server was unable to deliver your message.",
        "Email": to,
        "From": "appeals@lists.example.org",
        "BouncedAt": "2027-03-01T02:59:38.2370000-05:00",
        "Inactive": True,
    } | changed


def sendgrid_bounce(to: str = "rosa@example.org", message_id: str = "", **changed: Any) -> dict[str, Any]:
    """SendGrid: an address that is not there."""
    return {
        "email": to,
        "timestamp": 1803887978,
        "event": "bounce",
        "smtp-id": message_id,
        "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "bounce_classification": "Invalid Address",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist",
        "status": "5.1.1",
        "type": "bounce",
    } | changed


def brevo_bounce(to: str = "rosa@example.org", message_id: str = "", **changed: Any) -> dict[str, Any]:
    """Brevo: an address that is not there."""
    return {
        "event": "hard_bounce",
        "email": to,
        "id": 26224,
        "date": "2027-03-01 08:59:38",
        "ts": 1803891578,
        "ts_event": 1803887978,
        "ts_epoch": 1803887978237,
        "message-id": message_id,
        "subject": "Come to the harvest forum",
        "sending_ip": "192.0.2.25",
        "reason": "550 5.1.1 User unknown in virtual mailbox table",
    } | changed


def mailjet_bounce(to: str = "rosa@example.org", **changed: Any) -> dict[str, Any]:
    """Mailjet: an address that is not there."""
    return {
        "event": "bounce",
        "time": 1803887978,
        "MessageID": 13792286917004336,
        "Message_GUID": "1ab23cd4-e567-8901-2345-6789f0gh1i2j",
        "email": to,
        "mj_campaign_id": 0,
        "CustomID": "",
        "blocked": False,
        "hard_bounce": True,
        "error_related_to": "recipient",
        "error": "user unknown",
        "comment": "550 5.1.1 User unknown",
    } | changed
