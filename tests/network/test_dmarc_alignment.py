"""DMARC alignment, with a DNS zone on loopback."""

from __future__ import annotations

import pytest

from mailer.domain.sender_authentication import AuthenticationMethod
from mailer.errors import DnsUnavailable
from mailer.network.dmarc_alignment import is_aligned, walk_dns_tree
from tests.support.dns_zone import Zone

DKIM, SPF = AuthenticationMethod.DKIM, AuthenticationMethod.SPF


def dmarc(domain: str, tags: str = "p=none") -> dict[str, list[str]]:
    return {f"_dmarc.{domain}. TXT": [f'"v=DMARC1; {tags}"']}


async def speaks(domain: str, author: str, records: dict[str, list[str]], by: AuthenticationMethod = DKIM) -> bool:
    async with Zone(records) as zone:
        return await is_aligned(zone.dns(), domain, author, by)


async def test_a_domain_is_aligned_with_itself_without_a_dns_query():
    async with Zone(dmarc("example.org", "p=reject; adkim=s")) as zone:
        assert await is_aligned(zone.dns(), "example.org", "example.org", DKIM)
        assert await is_aligned(zone.dns(), "example.com", "example.org", DKIM) is False
        assert zone.queries == []


@pytest.mark.parametrize(
    ("domain", "author", "speaks_for_it"),
    [
        ("news.example.org", "example.org", True),
        ("example.org", "news.example.org", True),
        ("bounce.example.org", "news.example.org", True),
        ("badexample.org", "example.org", False),
        ("org", "example.org", False),
    ],
)
async def test_with_a_record_all_domains_of_the_organisation_are_aligned(domain, author, speaks_for_it):
    assert await speaks(domain, author, dmarc("example.org")) is speaks_for_it


@pytest.mark.parametrize(
    ("domain", "author", "speaks_for_it"),
    [
        ("example.org", "news.example.org", True),
        ("mallory.example.org", "example.org", False),
        ("mallory.example.org", "rosa.example.org", False),
        ("org", "example.org", False),
    ],
)
async def test_without_a_record_only_parent_domains_are_aligned(domain, author, speaks_for_it):
    assert await speaks(domain, author, {}) is speaks_for_it


async def test_a_strict_record_demands_the_same_domain_for_dkim_and_spf_separately():
    records = dmarc("example.org", "p=none; adkim=S; aspf=r")

    assert await speaks("news.example.org", "example.org", records, DKIM) is False
    assert await speaks("news.example.org", "example.org", records, SPF) is True
    assert await speaks("news.example.org", "example.org", dmarc("example.org", "p=none; aspf=s"), SPF) is False


async def test_the_authors_own_record_overrides_that_of_the_organisation():
    records = dmarc("example.org", "p=none") | dmarc("news.example.org", "p=none; adkim=s")

    assert await speaks("example.org", "news.example.org", records) is False
    assert await speaks("news.example.org", "shop.example.org", records) is True


async def test_tenants_of_a_public_suffix_are_not_aligned():
    records = dmarc("tenants.example", "psd=y; p=none") | dmarc("rosa.tenants.example")

    assert await speaks("mallory.tenants.example", "rosa.tenants.example", records) is False
    assert await speaks("mallory.tenants.example", "tenants.example", records) is False
    assert await speaks("mail.rosa.tenants.example", "rosa.tenants.example", records) is True
    assert (
        await speaks("mallory.tenants.example", "rosa.tenants.example", dmarc("tenants.example", "p=none; psd=y"))
        is False
    )


async def test_a_subdomain_may_declare_itself_an_organisation():
    records = dmarc("example.org") | dmarc("branch.example.org", "p=none; psd=n")

    assert await speaks("example.org", "branch.example.org", records) is False
    assert await speaks("mail.branch.example.org", "branch.example.org", records) is True


async def test_several_records_count_as_none():
    twice = {"_dmarc.example.org. TXT": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']}
    other = {"_dmarc.example.org. TXT": ['"v=DMARC2; p=none"', '"p=none; v=DMARC1"']}

    assert await speaks("news.example.org", "example.org", twice) is False
    assert await speaks("news.example.org", "example.org", other) is False


async def test_the_tree_walk_makes_eight_queries_at_most():
    domain = "a.b.c.d.e.f.g.h.i.example.org"
    async with Zone(dmarc("org", "p=none")) as zone:
        found = await walk_dns_tree(zone.dns(), domain)

        assert (found.organizational_domain, len(zone.queries)) == ("example.org", 8)
        assert found.policy == {"v": "DMARC1", "p": "none"}
        assert zone.queries[:2] == [f"_dmarc.{domain}. TXT", "_dmarc.e.f.g.h.i.example.org. TXT"]


async def test_a_failing_server_raises():
    async with Zone({}) as zone:
        zone.fails("_dmarc.example.org.")

        with pytest.raises(DnsUnavailable):
            await is_aligned(zone.dns(), "news.example.org", "example.org", DKIM)
