"""A DNS server for tests, on loopback by UDP and TCP: it answers from a zone, or fails as it is told.

async with Zone({"lists.example.org. MX": ["10 mail.example.org."]}) as zone:
    zone.fails("broken.example.org.")       # SERVFAIL
    zone.is_silent("slow.example.org.")
    dns = zone.dns()
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from mailer.network.dns import Dns, open_dns


class Zone(asyncio.DatagramProtocol):
    """Answers from `records`: {"name. TYPE": [data, ...]} as in a zone file. `asked` keeps every question."""

    def __init__(self, records: Mapping[str, Iterable[str]], *, ttl: int = 60) -> None:
        self.ttl = ttl
        self.records = {key.lower(): list(data) for key, data in records.items()}
        self.queries: list[str] = []
        self.tcp_queries: list[str] = []
        self.port = 0
        self._failing: set[str] = set()
        self._unresponsive: set[str] = set()

    def fails(self, name: str) -> None:
        """Answer SERVFAIL for this name from now on."""
        self._failing.add(name.lower())

    def is_silent(self, name: str) -> None:
        """Never answer for this name."""
        self._unresponsive.add(name.lower())

    def dns(self, within_s: float = 5) -> Dns:
        """A resolver that asks here."""
        return open_dns([("127.0.0.1", self.port)], within_s=within_s)

    @property
    def server(self) -> str:
        """For `[dns] servers`."""
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Zone:
        loop = asyncio.get_running_loop()
        for _ in range(10):
            self._tcp = await asyncio.start_server(self._by_tcp, "127.0.0.1", 0)
            self.port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
            except OSError:
                self._tcp.close()
                continue
            return self
        raise AssertionError("no port is free for both UDP and TCP")

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        if (answer := self._answer(query)) is not None:
            wire = answer.to_wire(max_size=65535)
            if len(wire) > max(query.payload, 512):
                answer.answer.clear()
                answer.flags |= dns.flags.TC
                wire = answer.to_wire()
            self._udp.sendto(wire, addr)

    async def _by_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = dns.message.from_wire(await reader.readexactly(int.from_bytes(await reader.readexactly(2))))
        self.tcp_queries.append(query.question[0].name.to_text())
        if (answer := self._answer(query)) is not None:
            wire = answer.to_wire(max_size=65535)
            writer.write(len(wire).to_bytes(2) + wire)
            await writer.drain()
        writer.close()

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.queries.append(f"{name} {kind}")
        if name in self._unresponsive:
            return None
        answer = dns.message.make_response(query, recursion_available=True)
        if name in self._failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif data := self.records.get(f"{name} {kind}".lower()):
            answer.answer.append(dns.rrset.from_text_list(question.name, self.ttl, "IN", kind, data))
        elif not any(key.startswith(f"{name} ") for key in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer
