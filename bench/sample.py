"""One letter of the bench as it arrives, checked to be what the bench claims to send."""

from __future__ import annotations

import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from bench.figure import MeasurementFailed
from bench.relay import running_sink
from bench.service import TIMEOUT_S, running_service
from bench.workspace import ADMIN, LETTER, LIST, Workspace
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.schedule import send_now
from mailer.app import App


def sample_letter(folder: Path, database: str, signed: bool) -> bytes:
    """Send one letter to the one person of a database through the whole service, and return it.

    Broken where it is not personal, not of two parts; LookupError where it ought to be signed, and is not.
    """
    file = folder / "letter.eml"
    file.unlink(missing_ok=True)
    with running_sink(ours=True, keep=file) as ours:
        workspace = Workspace(folder, database)
        workspace.write_settings(relay_port=ours.port, signed=signed)
        with running_service(workspace) as service:
            workspace.run_action(_send_campaign)
            until = time.monotonic() + TIMEOUT_S
            while not ours.taken() and time.monotonic() < until:
                service.check_running()
                time.sleep(0.02)
    if not file.exists():
        raise MeasurementFailed("the one letter of the sample never arrived")
    letter = file.read_bytes()
    _check_personal(letter)
    if signed and b"DKIM-Signature:" not in letter:
        raise LookupError("the service knows the settings, but does not sign")
    return letter


async def _send_campaign(app: App) -> None:
    campaign_id = await new_campaign(app, ADMIN, list_name=LIST, texts={"letter.md": LETTER})
    await send_now(app, ADMIN, campaign_id, wait_s=0)


def _check_personal(letter: bytes) -> None:
    message = message_from_bytes(letter, policy=policy.default)
    for kind in ("plain", "html"):
        part = message.get_body((kind,)) if isinstance(message, EmailMessage) else None
        text = part.get_content() if part else ""
        if "Person 1" not in text or "Town 1" not in text:
            raise MeasurementFailed(f"the {kind} part of the letter is not personal: {text[:500]!r}")
