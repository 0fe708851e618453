"""Sample settings are reported by the doctor, and hold campaigns to other machines."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner, Result

from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.report import campaign_status
from mailer.app import App
from mailer.cli.main import command
from mailer.domain.keyring import Keyring, write_keyring
from mailer.settings.load import default_settings_toml
from tests.support.app_helpers import ADMIN, ROSA, import_rows, make_app, open_list
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import running_service

AWAY = {"MAILER_RELAY": json.dumps([{"host": "relay.invalid", "port": 587, "tls": "starttls"}])}
OWN = {
    "MAILER_SERVICE__NAME": "Harvest Circle",
    "MAILER_SERVICE__DOMAIN": "lists.harvest-circle.org",
    "MAILER_SERVICE__URL": "https://lists.harvest-circle.org",
    "MAILER_SERVICE__OWNER": "ada@harvest-circle.org",
}
AT = ("--at", "2030-03-01T09:00", "--zone", "Europe/Berlin")
TEXT = "---\nsubject: Seeds are in\n---\nCome and fetch them.\n"


async def test_sample_settings_hold_campaigns(tmp_path: Path, sqlite_template: Path, relay: FakeRelay) -> None:
    file = shutil.copy(sqlite_template, tmp_path / "mailer.db")
    (tmp_path / "settings.toml").write_text(default_settings_toml())
    (tmp_path / "secret").write_text(write_keyring(Keyring(b"p" * 32, ((1, b"k" * 32),))))
    app = make_app(f"sqlite:///{file}", lambda: datetime.now(UTC), relay.port)  # type: ignore[arg-type]
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await new_campaign(app, ADMIN, list_name="appeals", texts={"seeds.md": TEXT})

    async def types(*words: str, code: int = 0, **settings: str) -> Result:
        given = {"MAILER_SETTINGS": str(tmp_path / "settings.toml")} | settings
        done = await asyncio.to_thread(lambda: CliRunner().invoke(command, words, env=given))
        assert done.exit_code == code, done.output
        return done

    for words in (("send", "1", "--now"), ("schedule", "1", *AT)):
        refused = await types("campaign", *words, code=2, **AWAY)
        assert (refused.stdout, len(refused.stderr.splitlines())) == ("", 1)
        assert "owner owner@example.org is a name kept for examples" in refused.stderr
        assert "--anyway" in refused.stderr
    assert (await campaign_status(app, ADMIN, 1)).campaign.state == "draft"

    scheduled = json.loads(
        (await types("campaign", "schedule", "1", *AT, "--anyway", "a trial", "--json", **AWAY)).stdout
    )
    moved = json.loads((await types("campaign", "send", "1", "--now", "--json", **AWAY, **OWN)).stdout)
    await held_by_the_clock(app)
    output = (await types("campaign", "status", "1")).stdout
    doctor = json.loads((await types("doctor", "--json", code=1, **AWAY)).stdout)
    await types("campaign", "resume", "1", code=2, **AWAY)
    resumed = json.loads((await types("campaign", "resume", "1", "--json", **AWAY, **OWN)).stdout)

    findings = {one["check"]: one for one in doctor}
    assert (scheduled["state"], scheduled["anyway"]) == ("scheduled", True)
    assert (moved["state"], moved["anyway"]) == ("scheduled", False)
    assert "url https://lists.example.org is a name kept for examples" in output
    assert output.partition("not sent: ")[2].strip() in findings["campaign 1"]["told"]
    assert (findings["service"]["health"], findings["campaign 1"]["health"]) == ("fail", "warn")
    assert (resumed["state"], resumed["remark"], resumed["anyway"]) == ("launching", None, False)


async def held_by_the_clock(app: App) -> None:
    """Let a service with sample settings and a relay elsewhere run until it holds the campaign."""
    away = replace(app, relays=(replace(app.relays[0], host="relay.invalid"),))
    async with running_service(away):
        async with asyncio.timeout(60):
            while (await campaign_status(away, ADMIN, 1)).campaign.state != "paused":
                away.wakeups.notify_all()
