"""Sympa's lists: dumps, tables of its database, and lists of members of its web pages."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import TableRefused
from mailer.importers.discussion.sympa import FORMAT
from mailer.importers.export_format import ReadOptions
from tests.support.export_files import is_mailable, person_facts, read_export, source_files

DAY = 1_700_000_000
JOINED = {"agreed": "2023-11-14T22:13:20+00:00"}


def paragraph(email: str, *lines: str) -> str:
    return "\n".join((f"date {DAY}", f"email {email}", *lines, "subscribed 1", "", ""))


def facts(contents: dict[str, bytes | str], options: ReadOptions | None = None) -> dict[str, dict[str, Any]]:
    people, bad, left = read_export(FORMAT, contents, options)
    assert not bad
    assert not left
    return {address: person_facts(row) for address, row in people.items()}


def test_receptions_become_modes_and_pauses() -> None:
    receptions = ["mail", "digest", "digestplain", "summary", "nomail", "notice", "txt", "html", "urlize", "not_me"]
    dump = "".join(paragraph(f"{one}@example.org", f"reception {one}") for one in receptions)

    assert facts({"member.dump": dump}) == {
        "mail@example.org": JOINED,
        "digest@example.org": {"delivery": "digest-mime", **JOINED},
        "digestplain@example.org": {"delivery": "digest-plain", **JOINED},
        "summary@example.org": {"delivery": "digest", **JOINED},
        "nomail@example.org": {"paused": True, **JOINED},
        "notice@example.org": JOINED,
        "txt@example.org": JOINED,
        "html@example.org": JOINED,
        "urlize@example.org": JOINED,
        "not_me@example.org": {"own_posts": False, **JOINED},
    }


def test_suspended_bounced_and_included_members_get_no_letters() -> None:
    dump = "".join(
        [
            paragraph("away@example.org", "suspend 1", f"startdate {DAY}", f"enddate {DAY + 86400}"),
            paragraph("gone@example.org", "suspend 1", f"startdate {DAY}"),
            paragraph("both@example.org", "suspend 1", f"enddate {DAY}", "reception nomail"),
            paragraph("dead@example.org", f"bounce {DAY} {DAY} 14 5.1.1", "bounce_score 10"),
            paragraph("full@example.org", f"bounce {DAY} {DAY} 30 4.2.2", "bounce_score 75"),
            paragraph("once@example.org", f"bounce {DAY} {DAY} 1 4.2.2", "bounce_score 5"),
            paragraph("new@example.org", f"bounce {DAY} {DAY} 1 5.7.1"),
            f"email staff@example.org\ninclusion {DAY}\ninclusion_label staff\nsubscribed 0\nincluded 1\n\n",
            "email old@example.org\nincluded 1\n\n",
            paragraph("twice@example.org", f"inclusion {DAY}", "included 1"),
        ]
    )
    people, _, _ = read_export(FORMAT, {"member.dump": dump})

    assert {key.partition("@")[0] for key, row in people.items() if is_mailable(row)} == {"once", "twice"}
    bounced = {"bounced": JOINED["agreed"], **JOINED}
    assert person_facts(people["away@example.org"]) == {
        "paused": "2023-11-14T22:13:20+00:00",
        "until": "2023-11-15T22:13:20+00:00",
        **JOINED,
    }
    assert person_facts(people["both@example.org"]) == {"paused": True, **JOINED}
    assert [person_facts(people[f"{one}@example.org"]) for one in ("dead", "full", "new")] == [bounced] * 3
    assert person_facts(people["staff@example.org"]) == {"paused": True, "source": "staff"}
    assert "until asked" in people["staff@example.org"].remarks[0]


def test_values_run_to_the_end_of_the_line() -> None:
    attributes = (
        '<?xml version="1.0" encoding="UTF-8" ?><custom_attributes><custom_attribute id="city"><value>Z&#252;rich &amp;'
        " K=1</value></custom_attribute><custom_attribute id='note'><value>two\nlines</value></custom_attribute>"
        "</custom_attributes>"
    )
    dump = paragraph("ada@example.org", f"attrib {attributes}", f"custom_attribute {attributes}", "gecos A = B  C")

    found = facts({"member.dump": dump.replace("\n", "\r\n")})

    assert found["ada@example.org"] == {
        "name": "A = B  C",
        "attributes": {"city": "Zürich & K=1", "note": "two lines"},
        **JOINED,
    }


def test_owners_and_editors_have_roles_whatever_they_receive() -> None:
    contents = {
        "list/member.dump": paragraph("olu@example.org", "reception digest"),
        "list/owner.dump": paragraph("olu@example.org", "gecos Olu", "profile privileged", "reception nomail"),
        "list/editor.dump": paragraph("mod@example.org"),
    }

    assert facts({**contents}) == {
        "olu@example.org": {"delivery": "digest-mime", "role": "owner", "name": "Olu", **JOINED},
        "mod@example.org": {"state": "none", "role": "moderator"},
    }


def test_older_dumps_and_times_without_a_zone() -> None:
    dump = "date 2011-05-02 10:15:30\nemail ada@example.org\nreception mail\n"

    assert facts({"subscribers.db.dump": dump}) == {"ada@example.org": {"date": "2011-05-02 10:15:30"}}
    assert facts({"subscribers.db.dump": dump}, ReadOptions(zone="Europe/Paris")) == {
        "ada@example.org": {"agreed": "2011-05-02T08:15:30+00:00"}
    }


SUBSCRIBERS = """\
list_subscriber,robot_subscriber,user_subscriber,date_epoch_subscriber,reception_subscriber,comment_subscriber,\
suspend_subscriber,suspend_start_date_subscriber,suspend_end_date_subscriber,subscribed_subscriber
talk,lists.example.org,ada@example.org,1700000000,mail,"Okafor, Ada",NULL,NULL,NULL,1
talk,lists.example.org,ben@example.org,1700000000,nomail,,0,NULL,NULL,1
bees,lists.example.org,bee@example.org,1700000000,mail,,0,NULL,NULL,1
talk,lists.example.org,cem@example.org,1700000000,mail,,1,1700000000,NULL,1
"""
ADMINS = """\
list_admin\trobot_admin\tuser_admin\trole_admin
talk\tlists.example.org\tolu@example.org\towner
talk\tlists.example.org\tmod@example.org\teditor
"""
EXCLUSIONS = """\
list_exclusion;robot_exclusion;user_exclusion;family_exclusion;date_exclusion
talk;lists.example.org;cem@example.org;;1700000000
talk;lists.example.org;left@example.org;;1700000000
"""


def test_tables_of_one_list_with_who_was_excluded() -> None:
    contents: dict[str, bytes | str] = {
        "subscriber_table.csv": SUBSCRIBERS,
        "admin_table.tsv": ADMINS,
        "exclusion_table.csv": EXCLUSIONS,
    }

    with pytest.raises(TableRefused, match="--source-list"):
        facts(contents)
    assert facts(contents, ReadOptions(source_list="talk@lists.example.org")) == {
        "ada@example.org": {"name": "Okafor, Ada", **JOINED},
        "ben@example.org": {"paused": True, **JOINED},
        "cem@example.org": {"state": "unsubscribed", "paused": JOINED["agreed"], "reason": "excluded", **JOINED},
        "left@example.org": {"state": "unsubscribed", "reason": "excluded"},
        "olu@example.org": {"state": "none", "role": "owner"},
        "mod@example.org": {"state": "none", "role": "moderator"},
    }


def test_lists_of_the_web_pages() -> None:
    bounces = "# Email\tName\tBounce score\tBounce count\tFirst bounce\tLast bounce\n"
    bounces += f"ben@example.org\tBen\t75\t9\t{DAY}\t{DAY}\nada@example.org\tAda\t10\t1\t{DAY}\t{DAY}\n"
    contents: dict[str, bytes | str] = {
        "talk@lists.example.org.txt": "ada@example.org\tAda\nben@example.org\t\n",
        "export_member-talk@lists.example.org-bounce.txt": bounces,
        "excluded.txt": "ada@example.org\n",
    }

    assert facts(contents) == {
        "ada@example.org": {"state": "unsubscribed", "name": "Ada", "reason": "excluded"},
        "ben@example.org": {"name": "Ben", "bounced": JOINED["agreed"]},
    }


def test_a_dump_wins_over_a_list_of_a_web_page() -> None:
    people, bad, _ = read_export(
        FORMAT,
        {
            "member.dump": paragraph("ada@example.org", "reception digest"),
            "export_member.txt": "Ada@example.org\tAda\nleft@example.org\tLeft\n",
        },
    )

    assert {key: person_facts(row) for key, row in people.items()} == {
        "Ada@example.org": {"delivery": "digest-mime", **JOINED}
    }
    assert ["left@example.org" in row.reason for row in bad] == [True]


def test_bad_paragraphs_are_named_by_their_line() -> None:
    dump = "email no address\n\ngecos Nobody\n\n" + paragraph("ada@example.org")
    people, bad, _ = read_export(FORMAT, {"member.dump": dump})

    assert list(people) == ["ada@example.org"]
    assert [(row.line, row.place) for row in bad] == [(1, "member.dump"), (3, "member.dump")]


def test_other_files_are_not_taken() -> None:
    others: dict[str, bytes | str] = {
        "members.csv": "email,name\nada@example.org,Ada\n",
        "members.txt": "ada@example.org\n",
        "list_members.txt": "ada@example.org\n",
        "me@example.org.txt": "Dear Ada,\nwrite to ben@example.org\n",
    }

    assert not FORMAT.find_files(source_files(others))


TEXT = st.text("AéßΩ,.=\"'<>&# xyz", max_size=9).map(lambda text: " ".join(text.split()))
PEOPLE = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True).map(lambda local: f"{local}@example.org"),
    st.fixed_dictionaries(
        {
            "date": st.integers(1_000_000_000, 1_700_000_000).map(str),
            "reception": st.sampled_from(["mail", "digest", "digestplain", "nomail", "not_me"]),
            "gecos": TEXT,
            "suspend": st.sampled_from(["", "1"]),
            "bounce_score": st.sampled_from(["", "10", "80"]),
            "subscribed": st.sampled_from(["0", "1"]),
        }
    ),
    min_size=1,
    max_size=5,
)


@given(PEOPLE, TEXT)
def test_dump_and_table_say_the_same(people: dict[str, dict[str, str]], city: str) -> None:
    names = {"email": "user", "gecos": "comment", "date": "date_epoch"}
    keys = ["email", "date", "reception", "gecos", "suspend", "bounce_score", "subscribed", "custom_attribute"]
    value = f'<custom_attribute id="city"><value>{escape(city)}</value></custom_attribute>'
    xml = f"<custom_attributes>{value}</custom_attributes>"
    dump, table = "", ",".join(f"{names.get(key, key)}_subscriber" for key in keys) + "\n"
    for email, values in people.items():
        record = {"email": email, **values, "custom_attribute": xml}
        dump += "".join(f"{key} {record[key]}\n" for key in keys if record[key]) + "\n"
        table += ",".join('"' + record[key].replace('"', '""') + '"' for key in keys) + "\n"

    found = facts({"member.dump": dump})

    assert found == facts({"subscriber_table.csv": table})
    assert list(found) == list(people)
    assert {one["attributes"]["city"] for one in found.values() if city} <= {city}


@given(st.sampled_from(["member.dump", "export_member.txt", "subscriber_table.csv"]), st.data())
def test_damaged_files_are_refused_or_read(name: str, data: st.DataObject) -> None:
    contents = {"member.dump": paragraph("ada@example.org", "attrib <custom_attributes>"), "export_member.txt": ADMINS}
    octets = bytearray(contents.get(name, SUBSCRIBERS).encode())
    for _ in range(data.draw(st.integers(0, 5))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    files = source_files({name: bytes(octets[: data.draw(st.integers(0, len(octets)))])})
    try:
        found = FORMAT.find_files(files)
        list(FORMAT.read(found, ReadOptions()).rows if found else ())
    except TableRefused:
        return
