"""Queries to a DNS server on loopback that answers, truncates, fails or does not answer."""

from __future__ import annotations

import time
from ipaddress import ip_address

import pytest

from mailer.errors import DnsUnavailable
from mailer.network.dns import open_dns
from tests.support.dns_zone import Zone


async def test_each_kind_of_record_is_read():
    async with Zone(
        {
            "lists.example.org. TXT": ['"v=spf1 " "-all"', '"other"'],
            "lists.example.org. MX": ["20 b.example.org.", "10 A.example.org."],
            "a.example.org. A": ["192.0.2.1"],
            "a.example.org. AAAA": ["2001:db8::1"],
            "1.2.0.192.in-addr.arpa. PTR": ["A.example.org."],
        }
    ) as zone:
        dns = zone.dns()

        assert await dns.texts("lists.example.org") == ("other", "v=spf1 -all")
        assert await dns.mail_servers("lists.example.org") == ("a.example.org", "b.example.org")
        assert await dns.addresses("a.example.org") == (ip_address("192.0.2.1"), ip_address("2001:db8::1"))
        assert await dns.names(ip_address("192.0.2.1")) == ("a.example.org",)


async def test_a_missing_record_is_an_empty_answer_and_a_null_mx_is_an_empty_name():
    async with Zone({"example.org. A": ["192.0.2.1"], "quiet.example.org. MX": ["0 ."]}) as zone:
        assert await zone.dns().texts("nowhere.example.org") == ()
        assert await zone.dns().texts("example.org") == ()
        assert await zone.dns().mail_servers("quiet.example.org") == ("",)


async def test_an_answer_too_long_for_a_packet_is_fetched_over_tcp():
    text = "x" * 250
    async with Zone({"long.example.org. TXT": [" ".join([f'"{text}"'] * 10)]}) as zone:
        assert await zone.dns().texts("long.example.org") == (text * 10,)
        assert zone.tcp_queries == ["long.example.org."]


async def test_a_failing_server_is_no_empty_answer():
    async with Zone({}) as zone:
        zone.fails("broken.example.org.")

        with pytest.raises(DnsUnavailable, match=r"failed to answer broken\.example\.org TXT"):
            await zone.dns().texts("broken.example.org")


async def test_a_server_that_does_not_answer_is_given_up():
    async with Zone({}) as zone:
        zone.is_silent("slow.example.org.")

        with pytest.raises(DnsUnavailable, match=r"no answer for slow\.example\.org MX within 0\.2 s"):
            await zone.dns(within_s=0.2).mail_servers("slow.example.org")


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example.org", "ä" * 300])
async def test_a_name_that_cannot_be_looked_up_raises(name):
    with pytest.raises(DnsUnavailable, match="cannot be looked up"):
        await open_dns([("127.0.0.1", 1)]).texts(name)


@pytest.mark.parametrize(("ttl", "remembered_s"), [(60, 60), (86_400, 300)])
async def test_an_answer_is_cached_for_its_time_to_live_but_never_long(monkeypatch, ttl, remembered_s):
    now = time.time()
    async with Zone({"example.org. MX": ["10 a.example.org."]}, ttl=ttl) as zone:
        dns = zone.dns()
        for later in (0, remembered_s - 5, remembered_s + 5):
            monkeypatch.setattr("time.time", lambda later=later: now + later)
            assert await dns.mail_servers("example.org") == ("a.example.org",)

        assert len(zone.queries) == 2


async def test_an_empty_answer_is_cached_and_a_failure_is_not(monkeypatch):
    now = time.time()
    async with Zone({}) as zone:
        dns = zone.dns()
        assert (await dns.texts("example.org"), await dns.texts("example.org")) == ((), ())
        assert len(zone.queries) == 1
        zone.records["example.org. txt"] = ['"hello"']
        monkeypatch.setattr("time.time", lambda: now + 305)
        assert await dns.texts("example.org") == ("hello",)

        zone.fails("broken.example.org.")
        for _ in range(2):
            with pytest.raises(DnsUnavailable):
                await dns.texts("broken.example.org")
        assert zone.queries.count("broken.example.org. TXT") >= 2


async def test_an_unresponsive_domain_is_not_asked_for_a_while():
    async with Zone({"well.example.org. TXT": ["here"], "b.example.net. TXT": ["here"]}) as zone:
        for name in ("a.example.org.", "b.example.org.", "c.example.org."):
            zone.is_silent(name)
        dns = open_dns([("127.0.0.1", zone.port)], within_s=0.1, silence_s=60)

        refused_at_once = []
        for name in ("a.example.org", "b.example.org", "c.example.org", "well.example.org"):
            with pytest.raises(DnsUnavailable) as trouble:
                await dns.texts(name)
            refused_at_once.append("a moment ago" in str(trouble.value))

        assert refused_at_once == [False, False, True, True]
        assert await dns.texts("b.example.net") == ("here",)


async def test_an_answer_resets_the_count_of_timeouts():
    async with Zone({"well.example.org. TXT": ["here"]}) as zone:
        for name in ("a.example.org.", "b.example.org."):
            zone.is_silent(name)
        dns = open_dns([("127.0.0.1", zone.port)], within_s=0.1, silence_s=60)

        for name in ("a.example.org", "b.example.org"):
            with pytest.raises(DnsUnavailable):
                await dns.texts(name)
            assert await dns.texts("well.example.org") == ("here",)


async def test_after_many_timeouts_no_domain_is_asked_for_a_while():
    async with Zone({}) as zone:
        names = [f"{letter}.example" for letter in "abcdefg"]
        for name in names:
            zone.is_silent(f"{name}.")
        dns = open_dns([("127.0.0.1", zone.port)], within_s=0.05, silence_s=60)

        refused_at_once = []
        for name in names:
            with pytest.raises(DnsUnavailable) as trouble:
                await dns.texts(name)
            refused_at_once.append("a moment ago" in str(trouble.value))

        assert refused_at_once == [False] * 6 + [True]
