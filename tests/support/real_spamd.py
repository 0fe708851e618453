"""The SpamAssassin of this machine, asked without the DNS."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_PATIENCE_S = 60


@asynccontextmanager
async def running_spamd(folder: Path, *, children: int = 2) -> AsyncIterator[int]:
    """A spamd that keeps its files in `folder`; its port on loopback. It does only local tests (`--local`).

    Fails where there is no spamd on this machine.
    """
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    program = shutil.which("spamd", path=path)
    assert program, "no SpamAssassin on this machine: apt-get install spamassassin spamd"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(program, "--local", "--port", str(port), "--listen", "127.0.0.1", "--max-children", str(children)),
        *("--nouser-config", "--syslog", str(folder / "spamd.log"), "--helper-home-dir", str(folder)),
        env=os.environ | {"PATH": path},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _wait_for(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            assert process.returncode is None, "spamd ended; its log says why"
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
