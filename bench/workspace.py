"""A folder with settings, and the real commands on a database."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.figure import MeasurementFailed
from bench.process import PYTHON, ROOT
from mailer.actions.campaigns.report import CampaignStatus, campaign_status
from mailer.app import App
from mailer.bootstrap import open_app, read_keyring
from mailer.domain.accounts.actor import unix_user
from mailer.domain.keyring import Keyring
from mailer.errors import SettingsRefused
from mailer.settings.load import load_settings

R = TypeVar("R")

LIST = "bench"
ADMIN = unix_user("bench")
DOMAIN = "lists.example.org"
CONNECTIONS = 50
LETTER = """\
---
subject: Come to the harvest forum
lead: One evening on seeds.
language: en
---
Dear {{ name or "friend" }},

bring **your own** seeds from {{ town or "your town" }}.
"""
_SETTINGS = """\
[service]
name = "The bench"
domain = "{domain}"
url = "https://{domain}"
owner = "ada@example.net"
[database]
url = "{database}"
[intake]
port = 0
[web]
port = 0
[[relay]]
host = "127.0.0.1"
port = {relay_port}
connections = {connections}
"""
_DKIM = """\
[[dkim]]
domain = "{domain}"
selector = "bench"
key_file = "dkim.pem"
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One database, and settings.toml beside the run's secret. MAILER_ variables override settings."""

    folder: Path
    database: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the service's processes."""
        return os.environ | {"MAILER_SETTINGS": str(self.folder / "settings.toml")}

    def write_settings(self, *, relay_port: int, signed: bool = False) -> None:
        """Write settings for a relay on loopback. Raises LookupError if signing is not possible here."""
        text = _SETTINGS.format(domain=DOMAIN, database=self.database, relay_port=relay_port, connections=CONNECTIONS)
        if signed:
            _write_key(self.folder / "dkim.pem")
            text += _DKIM.format(domain=DOMAIN)
        (self.folder / "settings.toml").write_text(text)
        try:
            load_settings(self.folder / "settings.toml")
        except SettingsRefused as refusal:
            if signed:
                raise LookupError(f"the service does not sign here ({refusal})") from None
            raise

    def command(self, *arguments: object) -> str:
        """Run `mailer ARGUMENTS`; what it prints on stdout. MeasurementFailed with its stderr."""
        finished = subprocess.run(
            [PYTHON, "-m", "mailer", *map(str, arguments)],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            raise MeasurementFailed(f"mailer {' '.join(map(str, arguments))}: {finished.stderr}")
        return finished.stdout.strip()

    def new_campaign(self) -> int:
        """Create a draft campaign; its id."""
        (self.folder / "letter.md").write_text(LETTER)
        return int(self.command("campaign", "new", self.folder / "letter.md", "--list", LIST))

    def status(self, campaign_id: int) -> CampaignStatus:
        """The progress of the campaign, read in this process."""
        return self.run_action(lambda app: campaign_status(app, ADMIN, campaign_id))

    def run_action(self, action: Callable[[App], Awaitable[R]]) -> R:
        """Run an action in this process, where a command would take too long to start."""

        async def run() -> R:
            app = open_app(load_settings(self.folder / "settings.toml"))
            try:
                return await action(app)
            finally:
                await app.database.close()

        return asyncio.run(run())


def create_secret(folder: Path) -> Keyring:
    """Create the run's secret by `mailer init`."""
    subprocess.run([PYTHON, "-m", "mailer", "init", folder], cwd=ROOT, check=True, capture_output=True)
    return read_keyring(folder / "secret")


def _write_key(file: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(public_exponent=65537, key_size=2048)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)
