"""SPF records as receivers would read them, from a zone on loopback."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import DnsUnavailable
from mailer.network.spf_record import SpfReport, evaluate_spf, look_up_spf
from tests.support.dns_zone import Zone

DOMAIN = "lists.example.org"


async def reading(records: dict[str, list[str]]) -> SpfReport:
    async with Zone(records) as zone:
        return await look_up_spf(zone.dns(), DOMAIN)


def spf(*texts: str, domain: str = DOMAIN) -> dict[str, list[str]]:
    return {f"{domain}. TXT": [f'"{text}"' for text in texts]}


ZONE = {
    **spf("google-site-verification=x", "V=SPF1 ip4:192.0.2.0/28 a mx/30 include:provider.example.net ~all"),
    f"{DOMAIN}. A": ["198.51.100.1"],
    f"{DOMAIN}. MX": ["10 mail.example.org."],
    "mail.example.org. A": ["203.0.113.5"],
    "mail.example.org. AAAA": ["2001:db8::5"],
    **spf("v=spf1 -ip4:192.0.2.77 ip4:192.0.2.64/26 ip6:2001:db8:1::/48 -all", domain="provider.example.net"),
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
async def test_each_address_meets_the_first_mechanism_that_speaks_of_it(address, result):
    found = await reading(ZONE)

    assert found.policy is not None
    assert evaluate_spf(found.policy, ip_address(address)) == result
    assert (len(found.records), found.lookups, found.problems, found.policy.default_result) == (1, 3, (), "softfail")


async def test_a_redirect_counts_unless_all_is_said():
    elsewhere = spf("v=spf1 ip4:192.0.2.1 -all", domain="spf.example.net")

    followed = await reading({**spf("v=spf1 redirect=spf.example.net"), **elsewhere})
    void = await reading({**spf("v=spf1 redirect=spf.example.net ?all"), **elsewhere})

    assert followed.policy is not None
    assert evaluate_spf(followed.policy, ip_address("192.0.2.1")) == "pass"
    assert (followed.policy.default_result, followed.lookups) == ("fail", 1)
    assert void.policy is not None
    assert (void.policy.default_result, void.lookups) == ("neutral", 0)


@pytest.mark.parametrize(
    ("record", "trouble"),
    [
        ("v=spf1 ip4:192.0.2.999 -all", "'ip4:192.0.2.999' is no network"),
        ("v=spf1 ip6:192.0.2.1 -all", "is no network"),
        ("v=spf1 a/64 -all", "'a/64' is no network"),
        ("v=spf1 ipv4:192.0.2.1 -all", "'ipv4:192.0.2.1' is not known to SPF"),
        ("v=spf1 include:nowhere.example.net -all", "includes nowhere.example.net, which has no SPF records"),
        ("v=spf1 include:lists.example.org -all", "includes lists.example.org in a circle"),
        ("v=spf1 " + " ".join(f"a:h{number}.example.org" for number in range(11)), "needs 11 DNS lookups, 10 is"),
    ],
)
async def test_what_makes_receivers_ignore_a_record_is_told(record, trouble):
    found = await reading(spf(record))

    assert trouble in "; ".join(found.problems)


async def test_a_tree_of_includes_without_end_is_given_up():
    zone = spf(*["v=spf1 include:a0.example.org -all"])
    for number in range(60):
        zone |= spf(f"v=spf1 include:a{number + 1}.example.org a -all", domain=f"a{number}.example.org")

    found = await reading(zone)

    assert "10 is the most" in found.problems[-1]


async def test_several_records_are_an_error_and_none_is_none():
    two = await reading(spf("v=spf1 -all", "v=spf1 a -all"))
    none = await reading(spf("v=spf10 -all"))

    assert (len(two.records), two.policy) == (2, None)
    assert (none.records, none.policy) == ((), None)


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 exists:%{i}.example.org -all", "unknown"),
        ("v=spf1 ptr ip4:192.0.2.1 -all", "pass"),
        ("v=spf1 -ptr ip4:192.0.2.1 -all", "unknown"),
        ("v=spf1 include:%{d}.example.net ~all", "unknown"),
        ("v=spf1 ?all", "neutral"),
        ("v=spf1", "neutral"),
    ],
)
async def test_what_only_a_mail_can_tell_is_not_guessed(record, result):
    found = await reading(spf(record))

    assert found.policy is not None
    assert evaluate_spf(found.policy, ip_address("192.0.2.1")) == result


async def test_a_record_that_takes_too_long_to_look_up_is_given_up():
    async with Zone(spf("v=spf1 include:slow.example.net -all")) as zone:
        zone.is_silent("slow.example.net.")

        with pytest.raises(DnsUnavailable, match=r"takes over 0\.2 s to look up"):
            await look_up_spf(zone.dns(), DOMAIN, within_s=0.2)


@given(st.text(st.sampled_from("aimxp4:/%{}.=-~ 1"), max_size=60))
async def test_no_record_breaks_the_reader(rest):
    async with Zone(spf(f"v=spf1 {rest}")) as zone:
        found = await look_up_spf(_Quick(zone), DOMAIN)

    assert len(found.records) == 1


class _Quick:
    """Of this zone only the record itself is asked for; all else does not exist."""

    def __init__(self, zone: Zone) -> None:
        self._dns = zone.dns()

    async def texts(self, name):
        return await self._dns.texts(name) if name == DOMAIN else ()

    async def addresses(self, name):
        return ()

    async def mail_servers(self, name):
        return ()
