"""phpList's export: lists in one column, flags, the blacklist, times of the server."""

from __future__ import annotations

from itertools import product

import pytest

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.export_format import ReadOptions
from tests.support.export_files import is_mailable
from tests.support.recognized_exports import read_export, read_people, read_rows, standing
from tests.support.service_exports import phplist_export, phplist_row

NAME = "phpList Export on Harvest from 2019-03-01 to 2026-11-20 (2026-Nov-20).csv"
HARVEST = ReadOptions(source_list="Harvest", zone="Europe/Berlin")


def test_flags_say_the_state() -> None:
    export = phplist_export(
        phplist_row("ida@example.org", lists="Harvest News "),
        phplist_row("asked@example.org", "00000"),
        phplist_row("angry@example.org", "11100", "No Lists"),
        phplist_row("dead@example.org", "00160"),
        phplist_row("added@example.org", "00060"),
        phplist_row("off@example.org", "10001"),
        phplist_row("both@example.org", "01130"),
        phplist_row("other@example.org", lists="News "),
        phplist_row("nowhere@example.org", lists="No Lists"),
    )

    people = read_people({NAME: export}, HARVEST)

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "asked": "pending",
        "angry": "unsubscribed left everywhere",
        "dead": "unsubscribed bounced",
        "added": "pending",
        "off": "confirmed paused",
        "both": "unsubscribed left everywhere bounced",
    }
    ida = people["ida@example.org"]
    assert (ida.name, ida.attributes) == ("Ida Moss", {"town": "Ely"})
    assert ida.source_token == "ab12"
    assert ida.agreed_at is not None
    assert ida.agreed_at.isoformat() == "2024-02-02T08:00:00+00:00"


def test_times_of_the_server_are_kept_as_text_where_no_zone_is_said() -> None:
    export = read_export({NAME: phplist_export(phplist_row("ida@example.org"))})

    ((_, ida),) = export.rows

    assert (ida.agreed_at, ida.evidence["confirm"]) == (None, "2024-02-02 09:00:00")  # type: ignore[union-attr]
    assert any("--zone" in guess for guess in export.guessed)


def test_commas_separate_where_the_installation_is_set_so() -> None:
    export = phplist_export(phplist_row("ida@example.org")).replace("\t", ",")

    assert standing(read_people({NAME: export})["ida@example.org"]) == "confirmed"


@pytest.mark.parametrize("wanted", [None, "Orchard"])
def test_of_several_lists_one_must_be_named(wanted: str | None) -> None:
    export = phplist_export(phplist_row("ida@example.org"), phplist_row("bo@example.org", lists="News "))

    with pytest.raises(TableRefused, match="harvest"):
        read_export({NAME: export}, ReadOptions(source_list=wanted))


def test_the_blacklist_keeps_out_whether_subscribed_or_not() -> None:
    people = read_people(
        {
            NAME: phplist_export(phplist_row("ida@example.org"), phplist_row("bo@example.org")),
            "phplist_user_blacklist.csv": "email,added\nida@example.org,2024-05-01 08:00:00\nx@example.org,\n",
            "phplist_user_blacklist_data.csv": (
                "email,name,data\nspam@example.org,reason,marked as spam\nbad@example.org,reason,Bounced 5 times\n"
            ),
        }
    )

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed left everywhere",
        "bo": "confirmed",
        "x": "none left everywhere",
        "spam": "none complained everywhere",
        "bad": "none bounced everywhere",
    }


def test_a_flag_that_is_none_is_a_bad_row() -> None:
    people, bad = read_rows({NAME: phplist_export(phplist_row("ida@example.org", "Q0100"))})

    assert (people, len(bad)) == ({}, 1)


@pytest.mark.parametrize("column", ["Is this subscriber confirmed", "Is this subscriber blacklisted"])
def test_without_a_column_of_the_state_it_must_be_said(column: str) -> None:
    export = phplist_export(phplist_row("ida@example.org", "00030")).replace(column, "Something")

    with pytest.raises(TableRefused, match="say --state"):
        read_export({NAME: export})


def test_a_table_without_the_column_of_lists_is_refused() -> None:
    table = "Email,Is this subscriber confirmed,Is this subscriber blacklisted\nida@example.org,1,0\n"

    with pytest.raises(TableRefused, match="must name the lists"):
        read_export({NAME: table})


def test_escapes_of_formulas_are_undone() -> None:
    export = phplist_export(phplist_row("ida@example.org", more="' =Ida\t' not this"))

    ida = read_people({NAME: export})["ida@example.org"]

    assert (ida.name, ida.attributes) == ("=Ida", {"town": "' not this"})


def test_only_the_confirmed_without_any_flag_are_mailable() -> None:
    flags = ["".join(one) for one in product("01", "01", "01", "03", "01")]
    export = phplist_export(*(phplist_row(f"p{one}@example.org", one) for one in flags))

    people = read_people({NAME: export})

    assert {key for key, person in people.items() if is_mailable(person)} == {
        f"p{one}@example.org" for one in flags if (one[0], one[1], one[4]) == ("1", "0", "0")
    }
    assert {person.state for person in people.values()} == set(SubscriptionState)
