"""The yardstick of incoming mail: aiosmtpd as it is, discarding every mail: python bench/aiosmtpd_baseline.py."""

from __future__ import annotations

import asyncio
import logging

import uvloop
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP


async def main() -> None:
    """Print the port, then listen until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(), hostname="bench", loop=loop), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


logging.getLogger("mail.log").setLevel(logging.WARNING)
if __name__ == "__main__":
    uvloop.run(main())
