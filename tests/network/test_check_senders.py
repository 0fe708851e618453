"""Checks of the IP addresses that mail is sent from."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mailer.network.check_senders import check_senders
from mailer.network.public_address import is_public, own_addresses
from tests.support.dns_zone import Zone

DOMAIN = "lists.example.org"
RECORDS = {
    f"{DOMAIN}. TXT": ['"v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all"'],
    "25.2.0.192.in-addr.arpa. PTR": ["wrong.example.org.", "mail.example.org."],
    "9.2.0.192.in-addr.arpa. PTR": ["mail.example.org."],
    "mail.example.org. A": ["192.0.2.25"],
    "smtp.example.net. A": ["192.0.2.25", "192.0.2.9"],
}
OURS, THEIRS = ip_address("192.0.2.25"), ip_address("192.0.2.9")


async def run_check(*hosts: str, own=(), stated=(), records=RECORDS) -> list[tuple[str, str, str]]:
    async with Zone(records) as zone:
        findings = await check_senders(zone.dns(), DOMAIN, hosts, own, stated)
    return [(one.check, one.status.value, one.message) for one in findings]


async def test_a_relay_on_loopback_sends_from_this_machines_public_address():
    assert await run_check("127.0.0.1", own=[OURS, ip_address("10.0.0.7")]) == [
        ("spf 192.0.2.25", "ok", "SPF of lists.example.org covers it (this machine)"),
        ("ptr 192.0.2.25", "ok", "mail.example.org leads back to it (this machine)"),
    ]


async def test_our_own_address_must_be_covered_by_spf_and_have_a_ptr():
    spf, ptr = await run_check("localhost", own=[THEIRS])

    assert spf[1:] == ("fail", "SPF of lists.example.org does not cover it (this machine): fail")
    assert ptr[1] == "fail"
    assert "its name mail.example.org does not lead back to it" in ptr[2]


async def test_a_relay_elsewhere_may_send_from_other_addresses_so_nothing_fails():
    found = await run_check("smtp.example.net")

    assert [(check, health) for check, health, _ in found] == [
        ("spf 192.0.2.9", "warn"),
        ("ptr 192.0.2.9", "warn"),
        ("spf 192.0.2.25", "ok"),
        ("ptr 192.0.2.25", "ok"),
    ]


async def test_stated_addresses_win_over_all_others():
    found = await run_check("smtp.example.net", own=[OURS], stated=[ip_address("2001:db8::25")])

    assert found == [
        ("spf 2001:db8::25", "ok", "SPF of lists.example.org covers it (as you say)"),
        ("ptr 2001:db8::25", "fail", "it has no PTR record (as you say); large providers refuse such mail"),
    ]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "knows no public address of its own"),
        ("10.0.0.9", "has no public address"),
        ("gone.example.net", "is not known to the DNS"),
    ],
)
async def test_an_unknown_address_is_asked_for(host, words):
    [(check, health, said)] = await run_check(host, own=[ip_address("10.0.0.7")])

    assert (check, health, words in said) == ("sender", "warn", True)


async def test_without_an_spf_record_the_ptr_is_still_checked():
    found = await run_check("127.0.0.1", own=[OURS], records=RECORDS | {f"{DOMAIN}. TXT": []})

    assert [(check, health) for check, health, _ in found] == [("ptr 192.0.2.25", "ok")]


async def test_a_dns_that_does_not_answer_is_a_warning_for_each_address():
    async with Zone(RECORDS) as zone:
        zone.fails("25.2.0.192.in-addr.arpa.")
        zone.fails("smtp.example.net.")
        zone.fails(f"{DOMAIN}.")

        findings = await check_senders(zone.dns(), DOMAIN, ["127.0.0.1", "smtp.example.net"], [OURS])

    assert [(one.check, one.status.value) for one in findings] == [("sender", "warn"), ("ptr 192.0.2.25", "warn")]


@pytest.mark.parametrize(
    ("address", "public"),
    [("192.0.2.1", True), ("2001:db8::1", True), ("10.1.2.3", False), ("::1", False), ("fe80::1", False)],
)
def test_local_addresses_are_not_public(address, public):
    assert is_public(ip_address(address)) is public


def test_own_addresses_need_no_network():
    assert all(address.version in {4, 6} for address in own_addresses())
