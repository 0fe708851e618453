"""An IMAP server of a few commands (RFC 3501) with one account; it remembers what it was asked, and can go away."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

PASSWORD = "open sesame"
WAIT_S = 10
_ITEM = re.compile(r"BODY\.PEEK\[(?P<part>HEADER)?\]<(?P<at>\d+)\.(?P<octets>\d+)>|(?P<word>[A-Z0-9.]+)")


@dataclass
class StoredMail:
    """A mail in a folder."""

    raw: bytes
    came_at: datetime
    flags: set[str] = field(default_factory=set)


class FakeImap:
    """Keeps what is put into its folders; numbers them all alike."""

    def __init__(self, capabilities: str = "IMAP4rev1 IDLE MOVE UIDPLUS") -> None:
        self.capabilities = capabilities
        self.folders: dict[str, dict[int, StoredMail]] = {"INBOX": {}}
        self.uid_validity, self.next_uid, self.port = 1, 1, 0
        self.commands: list[str] = []
        """Every command, without its tag."""
        self.unreadable_uids: set[int] = set()
        """Mails it does not give away."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """On the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """All lines break."""
        self._server.close()
        for line in self._writers:
            line.transport.abort()

    def put(self, raw: bytes, came_at: datetime = datetime(2027, 3, 1, 8, tzinfo=UTC)) -> int:
        """A mail comes into the INBOX, and whoever idles is told. Its UID."""
        uid, self.next_uid = self.next_uid, self.next_uid + 1
        self.folders["INBOX"][uid] = StoredMail(raw, came_at)
        return uid

    def renumber(self) -> None:
        """Every mail gets another UID, and the folder another UIDVALIDITY."""
        self.uid_validity += 1
        inbox = list(self.folders["INBOX"].values())
        self.folders["INBOX"] = dict(enumerate(inbox, 1))
        self.next_uid = len(inbox) + 1

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until what it was asked makes this true."""
        async with asyncio.timeout(WAIT_S), self._changed:
            await self._changed.wait_for(condition)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(b"* OK ready\r\n")
        with suppress(ConnectionError):
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                tag, _, command = line.partition(" ")
                async with self._changed:
                    self.commands.append(command)
                    self._changed.notify_all()
                if command == "IDLE":
                    await self._idle(reader, writer)
                writer.writelines(self._answer(tag, command))
                await writer.drain()
        self._writers.discard(writer)
        writer.close()

    async def _idle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Say again and again how many mails there are now, once that has changed."""
        writer.write(b"+ idling\r\n")
        before, done = len(self.folders["INBOX"]), asyncio.ensure_future(reader.readline())
        while not done.done():
            await asyncio.wait({done}, timeout=0.02)
            if (now := len(self.folders["INBOX"])) != before:
                writer.write(f"* {now} EXISTS\r\n".encode())

    def _answer(self, tag: str, command: str) -> list[bytes]:
        name, _, rest = command.removeprefix("UID ").partition(" ")
        response: list[bytes] = getattr(self, f"_on_{name.lower()}", lambda _: [])(rest)
        if name == "NO" or response == [b"NO"]:
            return [f"{tag} NO not so\r\n".encode()]
        return [*response, f"{tag} OK done\r\n".encode()]

    def _on_capability(self, _: str) -> list[bytes]:
        return [f"* CAPABILITY {self.capabilities}\r\n".encode()]

    def _on_login(self, rest: str) -> list[bytes]:
        return [] if rest.endswith(f'"{PASSWORD}"') else [b"NO"]

    def _on_list(self, rest: str) -> list[bytes]:
        name = rest.split()[-1].strip('"')
        return [f'* LIST () "/" "{name}"\r\n'.encode()] if name in self.folders else []

    def _on_create(self, rest: str) -> list[bytes]:
        self.folders[rest.strip('"')] = {}
        return []

    def _on_select(self, _: str) -> list[bytes]:
        response = f"* {len(self.folders['INBOX'])} EXISTS\r\n* OK [UIDVALIDITY {self.uid_validity}] ids\r\n"
        return [response.encode(), f"* OK [UIDNEXT {self.next_uid}] next\r\n".encode()]

    _on_examine = _on_select

    def _on_search(self, rest: str) -> list[bytes]:
        words = rest.split()
        first = int(words[1].partition(":")[0])
        since = datetime.strptime(words[3], "%d-%b-%Y").replace(tzinfo=UTC) if "SINCE" in words else None
        inbox = {uid: kept for uid, kept in self.folders["INBOX"].items() if since is None or kept.came_at >= since}
        # As the star has it, the last one is always among them.
        found = {uid for uid in inbox if uid >= first} | set(list(inbox)[-1:])
        return [f"* SEARCH {' '.join(map(str, sorted(found)))}\r\n".encode()]

    def _on_fetch(self, rest: str) -> list[bytes]:
        uid = int(rest.partition(" ")[0])
        kept = self.folders["INBOX"].get(uid)
        if kept is None:
            return []
        if uid in self.unreadable_uids:
            return [b"NO"]
        response = [f"UID {uid}".encode()]
        for item in _ITEM.finditer(rest.partition(" ")[2]):
            if item["word"] == "RFC822.SIZE":
                response.append(f"RFC822.SIZE {len(kept.raw)}".encode())
            elif item["word"] == "INTERNALDATE":
                response.append(f'INTERNALDATE "{kept.came_at:%d-%b-%Y %H:%M:%S +0000}"'.encode())
            else:
                text = kept.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if item["part"] else kept.raw
                text = text[int(item["at"]) :][: int(item["octets"])]
                response.append(f"BODY[{item['part'] or ''}]<{item['at']}> {{{len(text)}}}\r\n".encode() + text)
        return [b"* 1 FETCH (" + b" ".join(response) + b")\r\n"]

    def _on_move(self, rest: str) -> list[bytes]:
        uid, folder = rest.split(" ", 1)
        self.folders[folder.strip('"')][int(uid)] = self.folders["INBOX"].pop(int(uid))
        return []

    def _on_copy(self, rest: str) -> list[bytes]:
        uid, folder = rest.split(" ", 1)
        self.folders[folder.strip('"')][int(uid)] = self.folders["INBOX"][int(uid)]
        return []

    def _on_store(self, rest: str) -> list[bytes]:
        self.folders["INBOX"][int(rest.split()[0])].flags.add(rest.split()[-1].strip("()"))
        return []

    def _on_expunge(self, rest: str) -> list[bytes]:
        del self.folders["INBOX"][int(rest)]
        return []
