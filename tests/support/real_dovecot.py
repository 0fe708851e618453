"""A Dovecot of one's own in a temporary folder: one account, a certificate for localhost, free ports."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep

PASSWORD = "open-sesame"
ACCOUNT = "lists"
READY_S = 10
CONFIG = """\
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=dovecot gid=dovecot home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running one."""

    folder: Path
    plain: int
    """The port for STARTTLS, and for none."""
    tls: int

    @property
    def certificate(self) -> Path:
        return self.folder / "cert.pem"

    def add_mail(self, raw: bytes) -> None:
        """A mail comes into the account's INBOX."""
        self._doveadm("save", "-u", ACCOUNT, "-m", "INBOX", given=raw)

    def delete_mails(self, *folders: str) -> None:
        """All mails in these folders are gone."""
        for folder in folders:
            self._doveadm("mailbox", "create", "-u", ACCOUNT, folder, may_fail=True)
            self._doveadm("expunge", "-u", ACCOUNT, "mailbox", folder, "all")

    def status(self, folder: str) -> str:
        """How many mails, and how many of them unread."""
        return self._doveadm("mailbox", "status", "-u", ACCOUNT, "messages unseen", folder).strip()

    def _doveadm(self, *words: str, given: bytes | None = None, may_fail: bool = False) -> str:
        command = ["doveadm", "-c", str(self.folder / "dovecot.conf"), *words]
        return subprocess.run(command, input=given, capture_output=True, check=not may_fail).stdout.decode()


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """Start it, as root."""
    folder = Path(mkdtemp(prefix="dovecot"))
    folder.chmod(0o755)
    (folder / "run").mkdir()
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", "dovecot", "dovecot")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    made = f"-keyout {folder}/key.pem -out {folder}/cert.pem -days 2 -subj /CN=localhost -addext {names}".split()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made], capture_output=True, check=True)
    dovecot = Dovecot(folder, _free_port(), _free_port())
    config = CONFIG.format(folder=folder, password=PASSWORD, plain=dovecot.plain, tls=dovecot.tls)
    (folder / "dovecot.conf").write_text(config)
    process = subprocess.Popen(["dovecot", "-F", "-c", str(folder / "dovecot.conf")])
    try:
        _wait_for(dovecot.tls)
        yield dovecot
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


def _wait_for(port: int) -> None:
    until = monotonic() + READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if monotonic() > until:
                raise
            sleep(0.05)
