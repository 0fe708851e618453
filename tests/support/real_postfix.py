"""A Postfix of our own, with its settings and its queue in a temporary folder."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
address_verify_map =
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """It runs."""

    folder: Path
    port: int

    async def wait_for_log(self, words: str, within_s: float = 30) -> None:
        """Wait until its log holds these words."""
        follow = await asyncio.create_subprocess_exec(
            *("tail", "-n", "+1", "-F", str(self.folder / "log")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(within_s):
                while follow.stdout and words.encode() not in await follow.stdout.readline():
                    pass
        finally:
            follow.kill()
            await follow.communicate()


def _prepare(snippet: str) -> Postfix:
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "etc" / "main.cf").write_text(_MAIN.format(folder=folder) + snippet)
    (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port))
    return Postfix(folder, port)


@asynccontextmanager
async def running_postfix(snippet: str) -> AsyncIterator[Postfix]:
    """Postfix with these lines in its main.cf, while the block runs."""
    made = _prepare(snippet)
    try:
        await _run("postfix", "-c", made.folder / "etc", "start")
        yield made
    finally:
        await _run("postfix", "-c", made.folder / "etc", "stop")
        shutil.rmtree(made.folder)


async def _run(*command: object) -> None:
    done = await asyncio.to_thread(
        subprocess.run, [str(word) for word in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
