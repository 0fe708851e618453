"""SPF records and what is wrong with them, from a zone on loopback."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import DnsUnavailable
from mailer.network.spf_record import SpfReport, look_up_spf
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


async def test_a_record_is_read_with_all_that_it_includes():
    found = await reading(ZONE)

    assert found.policy is not None
    assert (len(found.records), found.lookups, found.problems, found.policy.default_result) == (1, 3, (), "softfail")


async def test_a_redirect_is_followed_unless_there_is_an_all():
    elsewhere = spf("v=spf1 ip4:192.0.2.1 -all", domain="spf.example.net")

    followed = await reading({**spf("v=spf1 redirect=spf.example.net"), **elsewhere})
    void = await reading({**spf("v=spf1 redirect=spf.example.net ?all"), **elsewhere})

    assert followed.policy is not None
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
async def test_a_problem_that_makes_receivers_ignore_a_record_is_reported(record, trouble):
    found = await reading(spf(record))

    assert trouble in "; ".join(found.problems)


async def test_a_tree_of_includes_without_end_is_given_up():
    zone = spf(*["v=spf1 include:a0.example.org -all"])
    for number in range(60):
        zone |= spf(f"v=spf1 include:a{number + 1}.example.org a -all", domain=f"a{number}.example.org")

    found = await reading(zone)

    assert "10 is the most" in found.problems[-1]


async def test_several_records_and_no_record_have_no_policy():
    two = await reading(spf("v=spf1 -all", "v=spf1 a -all"))
    none = await reading(spf("v=spf10 -all"))

    assert (len(two.records), two.policy) == (2, None)
    assert (none.records, none.policy) == ((), None)


async def test_a_record_that_takes_too_long_to_look_up_is_given_up():
    async with Zone(spf("v=spf1 include:slow.example.net -all")) as zone:
        zone.is_silent("slow.example.net.")

        with pytest.raises(DnsUnavailable, match=r"takes over 0\.2 s to look up"):
            await look_up_spf(zone.dns(), DOMAIN, within_s=0.2)


@given(st.text(st.sampled_from("aimxp4:/%{}.=-~ 1"), max_size=60))
async def test_no_record_raises(rest):
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
