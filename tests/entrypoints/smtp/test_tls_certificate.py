"""STARTTLS: the certificate, its renewal, and nothing carried over from plain text."""

from __future__ import annotations

import asyncio
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiosmtplib
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mailer.entrypoints.smtp.tls_certificate import Certificate
from mailer.errors import SettingsRefused
from tests.support.smtp_client import JOIN, LEAVE, MAIL, RecordingReceiver, SmtpClient, connect, open_server


def write_certificate(file: Path, name: str) -> Path:
    """A key and its own certificate, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = datetime(2027, 3, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=5000))
        .not_valid_after(today + timedelta(days=5000))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return file


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def begin_tls(client: SmtpClient, after: bytes = b"") -> None:
    """STARTTLS, and what an attacker puts behind it."""
    await client.send_command("EHLO home.example.org")
    assert (await client.send_command(b"STARTTLS\r\n" + after if after else b"STARTTLS")).startswith("220")
    await client.writer.start_tls(trusting())


def name_shown(client: SmtpClient) -> str:
    der = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(der).subject.rfc4514_string()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_message_is_received_over_tls_under_either_event_loop(loop, tmp_path):
    async def story() -> RecordingReceiver:
        receiver = RecordingReceiver()
        certificate = Certificate(write_certificate(tmp_path / "mx.pem", "mx.example.org"), None)
        async with open_server(receiver, certificate=certificate) as server:
            await aiosmtplib.send(
                MAIL,
                sender="rosa@example.org",
                recipients=[JOIN],
                hostname="127.0.0.1",
                port=server.port,
                start_tls=True,
                tls_context=trusting(),
            )
        return receiver

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(story()).received == [("rosa@example.org", (JOIN,), MAIL)]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_plain_text_after_starttls_is_dropped(loop, tmp_path):
    async def story() -> tuple[list[str], int, int]:
        certificate = Certificate(write_certificate(tmp_path / "mx.pem", "mx.example.org"), None)
        async with open_server(RecordingReceiver(), certificate=certificate) as server:
            client = await connect(server)
            await client.read_reply()
            await begin_tls(client, b"EHLO mallory.example.net\r\nMAIL FROM:<mallory@example.net>\r\nNOOP")

            replies = [
                await client.send_command("MAIL FROM:<rosa@example.org>"),
                await client.send_command("EHLO home.example.org"),
            ]
            replies += [
                await client.send_command("STARTTLS"),
                await client.send_command("MAIL FROM:<rosa@example.org>"),
            ]
            limits = len(server.limits.sessions)
            await client.send_command("QUIT")
            await asyncio.wait_for(asyncio.gather(*(one.closed for one in server.limits.sessions)), 5)
            left = len(server.limits.sessions)
            await client.disconnect()
        return replies, limits, left

    with asyncio.Runner(loop_factory=loop) as runner:
        (too_early, hello, again, sender), limits, left = runner.run(story())

    assert too_early.startswith("503")  # the EHLO from before is forgotten, and the one in between was never heard
    assert "STARTTLS" not in hello
    assert "AUTH" not in hello
    assert again.startswith("503")
    assert sender.startswith("250")
    assert (limits, left) == (1, 0)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_failed_tls_handshake_ends_the_session(loop, tmp_path):
    async def story() -> int:
        certificate = Certificate(write_certificate(tmp_path / "mx.pem", "mx.example.org"), None)
        async with open_server(RecordingReceiver(), certificate=certificate) as server:
            client = await connect(server)
            await client.read_reply()
            await client.send_command("EHLO home.example.org")
            await client.send_command("STARTTLS")
            (session,) = server.limits.sessions
            client.writer.write(b"EHLO again.example.org\r\n" * 10)
            await client.read_to_end()
            await asyncio.wait_for(session.closed, 5)
            await client.disconnect()
            return len(server.limits.sessions)

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(story()) == 0


async def test_a_changed_certificate_is_used_and_a_broken_one_is_not(tmp_path):
    file = write_certificate(tmp_path / "mx.pem", "old.example.org")
    shown = []
    async with open_server(RecordingReceiver(), certificate=Certificate(file, None)) as server:
        for change in ("nothing", "renewed", "broken"):
            if change == "renewed":
                write_certificate(file, "new.example.org")
            elif change == "broken":
                file.write_text("half a file")
            os.utime(file, ns=(len(shown), len(shown)))
            client = await connect(server)
            await client.read_reply()
            await begin_tls(client)
            shown.append(name_shown(client))
            await client.disconnect()

    assert shown == ["CN=old.example.org", "CN=new.example.org", "CN=new.example.org"]


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_the_error_for_an_unusable_certificate_names_its_file(text, tmp_path):
    file = tmp_path / "mx.pem"
    if text is not None:
        file.write_text(text)

    with pytest.raises(SettingsRefused, match=r"mx\.pem"):
        Certificate(file, None)


async def test_without_a_certificate_starttls_is_neither_offered_nor_done():
    async with open_server(RecordingReceiver()) as server:
        client = await connect(server)
        await client.read_reply()
        assert "STARTTLS" not in await client.send_command("EHLO home.example.org")
        assert (await client.send_command("STARTTLS"))[:1] == "5"
        await client.begin_mail(JOIN, LEAVE)
        await client.disconnect()
