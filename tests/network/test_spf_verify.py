"""Verifying SPF against a zone on loopback."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.mail.message.received import SendingHost
from mailer.network.spf_verify import evaluate_spf, verify_spf
from tests.support.dns_zone import Zone

HOST = SendingHost(address="192.0.2.1", helo="mail.example.org")


def record(text: str, domain: str = "example.org") -> dict[str, list[str]]:
    whole = f"v=spf1 {text}"
    return {f"{domain}. TXT": [" ".join(f'"{whole[at : at + 200]}"' for at in range(0, len(whole), 200))]}


async def check(
    records: dict[str, list[str]],
    *,
    sender: str = "rosa@example.org",
    source: SendingHost = HOST,
    author: str = "example.org",
) -> tuple[str | None, str]:
    async with Zone(records) as zone:
        return await verify_spf(zone.dns(), sender, source, author)


PROVIDER = record("ip4:192.0.2.0/28 -all", "spf.example.net")


@pytest.mark.parametrize(
    ("text", "more", "result"),
    [
        ("ip4:192.0.2.1 -all", {}, "pass"),
        ("ip4:192.0.2.2 -all", {}, "fail"),
        ("ip4:192.0.2.2 ~all", {}, "softfail"),
        ("ip4:192.0.2.2", {}, "neutral"),
        ("+all", {}, "pass for any host"),
        ("ALL", {}, "pass for any host"),
        ("include:spf.example.net -all", PROVIDER, "pass"),
        ("include:nowhere.example.net -all", {}, "permerror"),
        ("redirect=spf.example.net", PROVIDER, "pass"),
        ("a -all", {"example.org. A": ["192.0.2.1"]}, "pass"),
        ("a:mail.example.org/28 -all", {"mail.example.org. A": ["192.0.2.9"]}, "pass"),
        ("mx -all", {"example.org. MX": ["10 b.example.org."], "b.example.org. A": ["192.0.2.1"]}, "pass"),
        ("mx -all", {"example.org. MX": ["0 ."]}, "fail"),
        ("exists:%{ir}.%{v}._spf.%{d} -all", {"1.2.0.192.in-addr._spf.example.org. A": ["127.0.0.2"]}, "pass"),
        ("exists:%{l1r-}.%{h}.example.org -all", {"rosa.mail.example.org.example.org. A": ["127.0.0.2"]}, "pass"),
        (
            "ptr -all",
            {"1.2.0.192.in-addr.arpa. PTR": ["x.example.org."], "x.example.org. A": ["192.0.2.1"]},
            "pass",
        ),
        ("ip4:192.0.2.1 exp=why.example.org -all", {"why.example.org. TXT": ['"%{i} may not"']}, "pass"),
        ("moo -all", {}, "permerror"),
        ("ip4:192.0.2.999 -all", {}, "permerror"),
        (" ".join(f"a:h{number}.example.org" for number in range(3)) + " ip4:192.0.2.1", {}, "permerror"),
        (" ".join(["a:mail.example.org"] * 11) + " ip4:192.0.2.1", {"mail.example.org. A": ["192.0.2.9"]}, "permerror"),
        ("mx -all", {"example.org. MX": [f"{number} h{number}.example.org." for number in range(11)]}, "permerror"),
        (f"a:{'x' * 240} exists:{'a.' * 200}b ip4:192.0.2.1", {}, "permerror"),
        ("ip4:192.0.2.1/" + "9" * 200, {}, "permerror"),
    ],
)
async def test_the_result_follows_from_the_record(text, more, result):
    domain, why = await check(record(text) | more)

    assert (domain, why) == ("example.org" if result == "pass" else None, f"{result} for example.org")


async def test_without_a_record_the_result_is_none_and_two_are_an_error():
    assert await check({}) == (None, "none for example.org")
    assert await check({"example.org. TXT": ['"v=spf1 +a"', '"v=spf1 +mx"']}) == (None, "permerror for example.org")
    assert await check({"example.org. TXT": [r'"v=spf1 ip4:192.0.2.1 \195\164"']}) == (
        None,
        "permerror for example.org",
    )


async def test_ipv6_hosts_are_supported():
    source = SendingHost(address="2001:db8::1", helo="mail.example.org")

    assert (await check(record("ip6:2001:db8::/64 -all"), source=source))[0] == "example.org"
    found = await check(record("a -all") | {"example.org. AAAA": ["2001:db8::1"]}, source=source)
    assert found[0] == "example.org"


async def test_a_sender_of_another_domain_is_refused_without_a_dns_query():
    async with Zone(record("+ip4:192.0.2.1", "example.com")) as zone:
        for sender in ("mallory@example.com", "mallory@org", "mallory", "a@b@example.org", "rosa@exämple.org"):
            assert await verify_spf(zone.dns(), sender, HOST, "example.org") == (None, "no envelope sender that counts")
        assert await verify_spf(zone.dns(), "rosa@example.org", SendingHost(address=None), "example.org") == (
            None,
            "no envelope sender that counts",
        )

        assert zone.queries == []


async def test_a_subdomain_sender_counts_if_dmarc_allows():
    zone = record("ip4:192.0.2.1", "bounce.example.org")
    dmarc = {"_dmarc.example.org. TXT": ['"v=DMARC1; p=none"']}

    assert (await check(zone | dmarc, sender="b+7@Bounce.example.org"))[0] == "bounce.example.org"
    assert await check(zone, sender="b+7@bounce.example.org") == (None, "bounce.example.org does not speak for it")


async def test_for_the_null_sender_the_helo_domain_is_checked():
    zone = record("ip4:192.0.2.1", "mail.example.org")

    assert (await check(zone, sender="", author="mail.example.org"))[0] == "mail.example.org"
    assert (await check(zone, sender=""))[0] is None
    assert (await check(zone, sender="", source=SendingHost(address="192.0.2.1")))[0] is None
    assert (await check(zone, sender="", source=SendingHost(address="192.0.2.1", helo="[192.0.2.1]")))[0] is None


async def test_a_failing_server_authenticates_nothing():
    async with Zone(record("include:broken.example.net ip4:192.0.2.1")) as zone:
        zone.fails("broken.example.net.")

        domain, why = await verify_spf(zone.dns(), "rosa@example.org", HOST, "example.org")

        assert domain is None
        assert "failed to answer broken.example.net TXT" in why


async def test_each_query_is_made_once_and_a_burst_costs_no_more():
    async with Zone(record("include:spf.example.net -all") | PROVIDER) as zone:
        dns = zone.dns()
        for _ in range(3):
            assert (await verify_spf(dns, "rosa@example.org", HOST, "example.org"))[0]

        assert zone.queries == ["example.org. TXT", "spf.example.net. TXT"]


async def test_a_record_with_too_many_hosts_is_a_permerror():
    zone = record(" ".join(f"mx:m{number}.example.org" for number in range(10)))
    for number in range(10):
        zone[f"m{number}.example.org. MX"] = [f"1 h{host}.m{number}.example.org." for host in range(10)]
        zone |= {f"h{host}.m{number}.example.org. A": ["203.0.113.1"] for host in range(10)}

    assert await check(zone) == (None, "permerror for example.org")


@given(
    st.text(st.sampled_from("aimxptrcludenv4:/%{}.=-~?+ 19hslo"), max_size=60), st.sampled_from(["a@example.org", ""])
)
@settings(max_examples=80)
async def test_no_record_raises(text, sender):
    author = "example.org" if sender else "mail.example.org"
    async with Zone(record(text) | record(text, "mail.example.org")) as zone:
        await verify_spf(zone.dns(), sender, HOST, author)


NETWORKS = {
    "lists.example.org. TXT": [
        '"google-site-verification=x"',
        '"V=SPF1 ip4:192.0.2.0/28 a mx/30 include:p.example.net ~all"',
    ],
    "lists.example.org. A": ["198.51.100.1"],
    "lists.example.org. MX": ["10 mail.example.org."],
    "mail.example.org. A": ["203.0.113.5"],
    "mail.example.org. AAAA": ["2001:db8::5"],
    "p.example.net. TXT": ['"v=spf1 -ip4:192.0.2.77 ip4:192.0.2.64/26 ip6:2001:db8:1::/48 -all"'],
}


@pytest.mark.parametrize(
    ("address", "result"),
    [
        ("192.0.2.3", "pass"),
        ("198.51.100.1", "pass"),
        ("203.0.113.6", "pass"),
        ("203.0.113.8", "softfail"),
        ("2001:db8::5", "pass"),
        ("2001:db8::6", "softfail"),
        ("192.0.2.65", "pass"),
        ("192.0.2.77", "softfail"),
        ("2001:db8:1::9", "pass"),
        ("192.0.2.129", "softfail"),
    ],
)
async def test_the_first_mechanism_that_matches_an_address_decides(address, result):
    async with Zone(NETWORKS) as zone:
        assert await evaluate_spf(zone.dns(), address, "postmaster@lists.example.org", "lists.example.org") == result
