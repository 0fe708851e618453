"""Columns that people have added to a product's table, or kept of it in a file with another name."""

from __future__ import annotations

import pytest

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.export_format import ReadOptions
from tests.support.export_files import is_mailable
from tests.support.recognized_exports import read_people, read_rows, standing

EXPORTS = {
    "ghost": ("email,name,subscribed_to_emails,created_at", "{},Ida,true,2024-02-01T08:00:00Z"),
    "keila": ("Email,First name,Last name,Data,Status,External ID", "{},Ida,Moss,,active,"),
    "mailchimp": ("Email Address,OPTIN_TIME,CONFIRM_TIME,LEID,TAGS", "{},2024-02-01 08:00:00,2024-02-01 08:00:00,1,"),
    "listmonk": ("uuid,email,name,attributes,status,created_at", "u,{},Ida,{{}},enabled,2024-02-01"),
    "buttondown": ("email_address,type,creation_date,notes,metadata,utm_campaign", "{},regular,2024-02-01,,,"),
    "substack": ("email,active_subscription,expiry,email_disabled,created_at", "{},false,,false,2024-02-01"),
    "brevo": ("CONTACT ID,EMAIL,EMAIL_BLACKLISTED", "1,{},no"),
    "google-groups": ("Email address,Nickname,Group status,Email status,Email preference", "{},Ida,member,,All email"),
}
DEPARTED_NAMES = (
    *("not_subscribed", "un-subscribed", "never_subscribed", "Abgemeldete", "nicht_abonniert", "désabonnés"),
    *("no-suscritos", "non_iscritti", "unbestätigt", "not-confirmed"),
)
NAMES = {"mailchimp": "subscribed_1.csv", "listmonk": "confirmed.csv"}


def with_column(product: str, heading: str, *cells: str) -> dict[str, str]:
    """An export with a further column; people are a@example.org, b@... in the order of the cells."""
    headings, row = EXPORTS[product]
    rows = [f"{row.format(f'{name}@example.org')},{cell}" for name, cell in zip("abcdefgh", cells, strict=False)]
    return {NAMES.get(product, "export.csv"): "\n".join((f"{headings},{heading}", *rows))}


@pytest.mark.parametrize("product", EXPORTS)
def test_a_day_of_leaving_that_somebody_added_is_heeded(product: str) -> None:
    people = read_people(with_column(product, "Abgemeldet am", "", "3.4.2024", "ja", "nein"))

    assert {address for address, one in people.items() if is_mailable(one)} == {"a@example.org", "d@example.org"}
    assert standing(people["b@example.org"]) == "unsubscribed"


@pytest.mark.parametrize("product", EXPORTS)
def test_an_added_column_makes_nobody_a_reader_and_says_why_a_row_is_not_read(product: str) -> None:
    people, bad = read_rows(with_column(product, "Bounced", "yes", "no", "who knows"))

    assert {address for address, one in people.items() if is_mailable(one)} == {"b@example.org"}
    assert [one.reason for one in bad] == ["Bounced is 'who knows', which is not understood"]


def test_a_column_of_who_is_subscribed_counts_where_it_is_understood() -> None:
    people = read_people(with_column("ghost", "Newsletter", "weekly", "nein", "abgemeldet", "ja"))

    assert {address for address, one in people.items() if is_mailable(one)} == {"a@example.org", "d@example.org"}


@pytest.mark.parametrize("product", ["mailchimp", "listmonk"])
@pytest.mark.parametrize("name", DEPARTED_NAMES)
def test_a_file_whose_name_says_no_in_other_words_makes_no_readers(product: str, name: str) -> None:
    headings, row = EXPORTS[product]
    export = f"{headings}\n{row.format('ida@example.org')}"

    people = read_people({f"{name} (1).csv": export}, ReadOptions(state=SubscriptionState.CONFIRMED))

    assert not any(map(is_mailable, people.values()))


def test_listmonks_table_is_known_without_its_first_column() -> None:
    headings, row = EXPORTS["listmonk"]
    export = f"{headings}\n{row.format('ida@example.org')}".replace("uuid,", "").replace("u,", "")

    with pytest.raises(TableRefused, match="its status is the account's"):
        read_people({"subscribers.csv": export})


def test_yes_and_no_are_read_in_the_languages_of_spreadsheets() -> None:
    for yes, no in (("WAHR", "FALSCH"), ("VRAI", "FAUX"), ("ИСТИНА", "ЛОЖЬ"), ("WAAR", "ONWAAR")):
        people = read_people({"members.csv": f"email;subscribed_to_emails\na@example.org;{yes}\nb@example.org;{no}"})

        assert [standing(one) for one in people.values()] == ["confirmed", "unsubscribed"]


def test_phplists_column_of_lists_is_found_wherever_it_stands() -> None:
    flags = "Is this subscriber confirmed,Is this subscriber blacklisted"
    rows = ("ida@example.org,Harvest,1,0,Ely", "bea@example.org,No Lists,1,0,Ely")
    export = "\n".join((f"Email,Liste des abonnements,{flags},Ville", *rows))

    people = read_people({"phplist.csv": export})

    assert {address for address, one in people.items() if is_mailable(one)} == {"ida@example.org"}
    assert people["ida@example.org"].attributes == {"ville": "Ely"}
