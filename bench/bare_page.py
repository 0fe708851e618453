"""The yardstick of the console's pages: Starlette with one read of a row: python bench/bare_page.py URL."""

from __future__ import annotations

import socket
import sys

import uvicorn
from sqlalchemy import Connection, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from mailer.store.database import Database
from mailer.store.people_tables import mailing_list


def bare_application(database: Database) -> Starlette:
    """One page at / that shows the title of a list."""

    def read_title(tx: Connection) -> str:
        return str(tx.execute(select(mailing_list.c.title).where(mailing_list.c.id == 1)).scalar_one())

    async def show(_: Request) -> HTMLResponse:
        return HTMLResponse(f"<h1>{await database.read(read_title)}</h1>")

    return Starlette(routes=[Route("/", show)])


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(bare_application(Database(sys.argv[1])), log_level="warning", lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])
