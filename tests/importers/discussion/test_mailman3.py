"""Mailman 3's lists: rosters of its REST API, its database, and what its commands print."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import TableRefused
from mailer.importers.discussion.mailman3 import FORMAT
from mailer.importers.export_format import ReadOptions
from tests.support.export_files import is_mailable, person_facts, read_export, source_files
from tests.support.mailman3_database import HARVEST, MODES, STATUSES, Mailman3Database

API = "http://localhost:8001/3.1"


def member(email: str, number: int = 1, **values: Any) -> dict[str, Any]:
    """An entry of a roster."""
    entry = {
        "address": f"{API}/addresses/{email}",
        "bounce_score": 0,
        "last_warning_sent": "0001-01-01T00:00:00",
        "delivery_mode": "regular",
        "email": email,
        "list_id": HARVEST,
        "role": "member",
        "display_name": "",
        "member_id": f"{number:032x}",
        "self_link": f"{API}/members/{number:032x}",
        "user": f"{API}/users/{number + 1000:032x}",
    }
    return entry | values


def page(*entries: dict[str, Any], total: int | None = None) -> str:
    return json.dumps({"start": 0, "total_size": total or len(entries), "entries": [*entries], "http_etag": "x"})


def preferences(of: str, **values: Any) -> dict[str, Any]:
    return {"self_link": f"{API}/{of}/preferences", "http_etag": "x", **values}


def facts(contents: dict[str, bytes | str], options: ReadOptions | None = None) -> dict[str, dict[str, Any]]:
    people, bad, _ = read_export(FORMAT, contents, options)
    assert not bad
    return {address: person_facts(row) for address, row in people.items()}


def test_a_roster_with_preferences_of_members_addresses_and_users() -> None:
    contents = {
        "roster-member.json": page(
            member("ada@example.org", 1, display_name="Ada Okafor"),
            member("ben@example.org", 2, moderation_action="hold"),
            member("cem@example.org", 3, delivery_mode="summary_digests"),
            member("dora@example.org", 4, bounce_score=7, last_bounce_received="2026-10-02T04:11:09"),
            member("emil@example.org", 5, bounce_score=7),
            member("fay@example.org", 6, moderation_action="accept", bounce_score=4),
        ),
        "prefs.json": json.dumps(
            [
                preferences(f"members/{1:032x}", preferred_language="de", delivery_status="enabled"),
                preferences(f"users/{1002:032x}", delivery_status="by_moderator", receive_own_postings=False),
                preferences("addresses/cem@example.org", delivery_status="by_user", receive_list_copy=False),
                preferences(f"members/{4:032x}/all", delivery_status="by_bounces"),
            ]
        ),
    }

    assert facts(contents) == {
        "ada@example.org": {"name": "Ada Okafor", "language": "de"},
        "ben@example.org": {"paused": True, "by": "owner", "own_posts": False, "moderated": True},
        "cem@example.org": {"delivery": "digest-mime", "paused": True, "copies": False},
        "dora@example.org": {"bounced": "2026-10-02T04:11:09+00:00"},
        "emil@example.org": {"bounced": True},
        "fay@example.org": {},
    }


def test_rosters_of_all_roles_addresses_requests_and_bans_in_one_file() -> None:
    dump = {
        "members": [member("ada@example.org"), member("ada@example.org", role="owner"), member("new@example.org", 2)],
        "owners": json.loads(page(member("olu@example.org", role="owner", display_name="Olu"))),
        "others": [
            member("mod@example.org", role="moderator"),
            member("robot@example.org", role="nonmember", moderation_action="accept"),
            member("ads@example.org", role="nonmember", moderation_action="discard"),
            member("ada@example.org", role="nonmember"),
        ],
        "addresses": [
            {"email": "ada@example.org", "original_email": "Ada@example.org", "verified_on": "2024-05-01T10:00:00"},
            {"email": "new@example.org", "original_email": "new@example.org", "registered_on": "2024-05-01T10:00:00"},
        ],
        "requests": [
            {"token": "a", "email": "asked@example.org", "type": "subscription", "when": "2026-11-01T00:00:00"},
            {"token": "b", "email": "ada@example.org", "type": "unsubscription"},
        ],
        "bans": [
            {"email": "troll@example.org", "list_id": HARVEST},
            {"email": "everywhere@example.org", "self_link": f"{API}/bans/everywhere@example.org"},
            {"email": "other@example.org", "list_id": "other.lists.example.org"},
            {"email": "^.*@spam", "list_id": HARVEST},
        ],
    }
    people, bad, left = read_export(FORMAT, {"dump.json": json.dumps(dump)})

    assert not bad
    assert {address: person_facts(row) for address, row in people.items()} == {
        "Ada@example.org": {
            "role": "owner",
            "agreed": "2024-05-01T10:00:00+00:00",
            "verified_on": "2024-05-01T10:00:00+00:00",
        },
        "new@example.org": {"state": "pending"},
        "olu@example.org": {"state": "none", "role": "owner", "name": "Olu"},
        "mod@example.org": {"state": "none", "role": "moderator"},
        "robot@example.org": {"state": "none", "role": "nonmember", "may_post": True},
        "ads@example.org": {"state": "none", "role": "nonmember", "may_post": False},
        "asked@example.org": {"state": "pending"},
        "troll@example.org": {"state": "none", "banned": True, "by": "owner"},
        "everywhere@example.org": {"state": "none", "banned": True, "by": "owner"},
    }
    assert people["everywhere@example.org"].suppressions[0].everywhere
    assert [one.place for one in left] == ["dump.json: ^.*@spam"]


def test_answers_may_be_kept_by_their_paths() -> None:
    dump = {
        f"/lists/{HARVEST}/roster/member": json.loads(page(member("ada@example.org"))),
        f"/members/{1:032x}/preferences": {"delivery_status": "by_user"},
    }

    assert facts({"dump.json": json.dumps(dump)}) == {"ada@example.org": {"paused": True}}


def test_missing_pages_and_preferences_are_said() -> None:
    files = source_files({"page-1.json": page(member("ada@example.org"), total=3)})

    guessed = FORMAT.read(FORMAT.find_files(files), ReadOptions()).guessed

    assert [words for words in ("no preferences", "1 of 3 members") if any(words in one for one in guessed)]
    assert len(guessed) == 2


def test_of_several_lists_one_is_asked_for() -> None:
    contents: dict[str, bytes | str] = {
        "members.json": page(member("ada@example.org"), member("ben@example.org", 2, list_id="bees.lists.example.org"))
    }

    with pytest.raises(TableRefused, match="--source-list"):
        facts(contents)
    with pytest.raises(TableRefused, match="no list called 'cats'"):
        facts(contents, ReadOptions(source_list="cats"))
    for name in ("bees", "bees@lists.example.org", "bees.lists.example.org"):
        assert list(facts(contents, ReadOptions(source_list=name))) == ["ben@example.org"]


PRINTED: dict[str, bytes | str] = {
    "members.txt": """\
Ada Okafor <Ada@example.org>
Ruiz, Pedro <pedro@example.org>
x <y> <z@example.org>
cem@example.org
""",
    "members-digest-any.txt": "cem@example.org\nz@example.org\n",
    "members-digest-plaintext.txt": "cem@example.org\n",
    "members-nomail-byadmin.txt": "pedro@example.org\n",
    "members-nomail-any.txt": "pedro@example.org\nz@example.org\n",
    "members-moderator.txt": "harvest.lists.example.org has no members\n",
    "members-administrator.txt": "Olu Owner <olu@example.org>\nmod@example.org\n",
    "members-owner.txt": "Olu Owner <olu@example.org>\n",
    "members-nonmember.txt": "robot@example.org\npedro@example.org\n",
    "members-role-any.txt": "former@example.org\nolu@example.org\n",
}


def test_printed_members_are_taken_together() -> None:
    assert facts(PRINTED) == {
        "Ada@example.org": {"name": "Ada Okafor"},
        "pedro@example.org": {"name": "Ruiz, Pedro", "paused": True, "by": "owner"},
        "z@example.org": {"name": "x <y>", "delivery": "digest", "paused": True},
        "cem@example.org": {"delivery": "digest-plain"},
        "olu@example.org": {"state": "none", "role": "owner", "name": "Olu Owner"},
        "mod@example.org": {"state": "none", "role": "moderator"},
        "robot@example.org": {"state": "none", "role": "nonmember"},
        "former@example.org": {"state": "none"},
    }


def test_members_of_any_role_alone_are_refused() -> None:
    with pytest.raises(TableRefused, match="--role"):
        read_export(FORMAT, {"members-any.txt": "ada@example.org\n"})


def test_the_csv_of_postorius_has_addresses_only() -> None:
    assert facts({"Subscribers.csv": "ada@example.org\r\nben@example.org\r\n"}).keys() == {
        "ada@example.org",
        "ben@example.org",
    }
    assert not FORMAT.find_files(source_files({"subscribers.csv": "uuid,email,name\n1,ada@example.org,Ada\n"}))


def test_a_database_with_all_its_numbers() -> None:
    database = Mailman3Database()
    add, prefer = database.add_member, database.add_preferences
    by_user = prefer(status="by_user", mode="mime_digests")
    add("Ada@example.org", name="Ada Okafor", preferences=prefer(preferred_language="de"))
    add("ben@example.org", address_preferences=by_user, preferences=prefer(mode="plaintext_digests"))
    add("cem@example.org", preferences=prefer(status="by_bounces"), last_bounce_received="2026-10-02 04:11:09")
    add("new@example.org", verified_on=None)
    add("held@example.org", action="hold", bounce_score=9, preferences=prefer(receive_own_postings=False))
    add("olu@example.org", role="owner", action="accept")
    add("robot@example.org", role="nonmember", action="accept", verified_on=None)
    add("bee@example.org", list_id="bees.lists.example.org")
    preferred = database.insert("address", email="dora@example.org", verified_on="2024-05-01 10:00:00")
    user = database.insert(
        "user", display_name="Dora", _preferred_address_id=preferred, preferences_id=prefer(status="unknown")
    )
    database.insert("member", role=1, list_id=HARVEST, user_id=user, preferences_id=prefer())
    for email, list_id in (("troll@example.org", HARVEST), ("^.*@spam", None), ("bee@example.org", "bees")):
        database.insert("ban", email=email, list_id=list_id)
    asked = [("email", "asked@example.org"), ("list_id", HARVEST), ("display_name", "Asked"), ("token_owner", "x")]
    database.add_request("subscription", asked)
    database.add_request("unsubscription", [("email", "Ada@example.org"), ("list_id", HARVEST)])

    people, bad, left = read_export(FORMAT, {"mailman.db": database.octets}, ReadOptions(source_list="harvest"))

    assert not bad
    found = {address: person_facts(row) for address, row in people.items()}
    verified = "2024-05-01T10:00:00+00:00"
    assert all(one.pop("agreed") == one.pop("verified_on") == verified for one in found.values() if "agreed" in one)
    assert found == {
        "Ada@example.org": {"name": "Ada Okafor", "language": "de"},
        "ben@example.org": {"delivery": "digest-plain", "paused": True},
        "cem@example.org": {"bounced": "2026-10-02T04:11:09+00:00"},
        "new@example.org": {"state": "pending"},
        "held@example.org": {"moderated": True, "own_posts": False},
        "dora@example.org": {"name": "Dora", "paused": True},
        "olu@example.org": {"state": "none", "role": "owner"},
        "robot@example.org": {"state": "none", "role": "nonmember", "may_post": True},
        "troll@example.org": {"state": "none", "banned": True, "by": "owner"},
        "asked@example.org": {"state": "pending", "name": "Asked"},
    }
    assert [one.place for one in left] == ["ban: ^.*@spam"]


def test_a_database_in_write_ahead_mode_is_read(tmp_path) -> None:
    database = Mailman3Database()
    database.add_member("ada@example.org")
    octets = bytearray(database.octets)
    octets[18:20] = b"\2\2"

    assert list(facts({"mailman.db": bytes(octets)})) == ["ada@example.org"]


def test_other_databases_and_json_are_not_taken() -> None:
    import sqlite3

    other = sqlite3.connect(":memory:")
    other.execute("CREATE TABLE people (email)")
    contents: dict[str, bytes | str] = {
        "other.db": other.serialize(),
        "members.json": '{"members": [{"email_address": "a@example.org", "list_id": "x"}]}',
        "subscribers.json": '{"data": {"results": [{"email": "a@example.org", "lists": [{"id": 1}]}]}}',
        "members_export_0a.csv": "Email Address\n",
    }

    assert not FORMAT.find_files(source_files(contents))


PEOPLE = st.dictionaries(
    st.from_regex(r"[A-Za-z][a-z0-9]{0,6}", fullmatch=True).map(lambda local: f"{local}@example.org"),
    st.tuples(
        st.text("AéßΩ,. \"'xyz", max_size=9).map(str.strip),
        st.sampled_from(MODES[:3]),
        st.sampled_from(STATUSES),
    ),
    min_size=1,
    max_size=7,
).filter(lambda people: len({address.lower() for address in people}) == len(people))


@given(PEOPLE)
def test_api_database_and_printed_lists_say_the_same(people: dict[str, tuple[str, str, str]]) -> None:
    database, entries, prefs = Mailman3Database(), [], []
    printed: dict[str, list[str]] = {"members.txt": []}
    kinds = {"plaintext_digests": "plaintext", "mime_digests": "mime"}
    for number, (email, (name, mode, status)) in enumerate(people.items()):
        database.add_member(email, name=name, preferences=database.add_preferences(mode, status))
        entries.append(member(email.lower(), number, display_name=name, delivery_mode=mode))
        prefs.append(preferences(f"members/{number:032x}", delivery_status=status))
        line = f"{name} <{email}>" if name else email
        files = ["members.txt", f"members-nomail-{status.replace('by_moderator', 'by_admin').replace('_', '')}.txt"]
        for file in [*files, f"members-digest-{kinds[mode]}.txt"] if mode in kinds else files:
            printed.setdefault(file, []).append(line)
    read = (
        read_export(FORMAT, {"mailman.db": database.octets})[0],
        read_export(FORMAT, {"roster.json": page(*entries), "preferences.json": json.dumps(prefs)})[0],
        read_export(FORMAT, {name: "\n".join(lines) for name, lines in printed.items()})[0],
    )

    wanted = [
        {
            row.address.key: ((row.name or "").strip('" '), row.delivery_mode, row.suppressions, is_mailable(row))
            for row in one.values()
        }
        for one in read
    ]
    assert wanted[0] == wanted[1] == wanted[2]
    assert [*read[0]] == [*people] == [*read[2]]
    assert {is_mailable(row) for row in read[0].values()} <= {True, False}


SAMPLES: dict[str, bytes] = {
    "roster.json": page(member("ada@example.org")).encode(),
    "members.txt": b"Ada <ada@example.org>\nben@example.org\n",
}


@given(st.sampled_from([*SAMPLES, "mailman.db"]), st.data())
def test_damaged_files_are_refused_or_read(name: str, data: st.DataObject) -> None:
    database = Mailman3Database()
    database.add_member("ada@example.org")
    octets = bytearray(SAMPLES.get(name) or database.octets)
    for _ in range(data.draw(st.integers(0, 5))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    files = source_files({name: cut})
    try:
        found = FORMAT.find_files(files)
        list(FORMAT.read(found, ReadOptions()).rows if found else ())
    except TableRefused:
        return


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ('{"list_id": 1, "email": ' + "[" * 200_000, "deeply"),
        ('{"list_id": "x", "email": ', "no JSON"),
        ('{"list_id": "x", "email": "a@example.org", "role": "member"}\n{"list_id": ', "line 2"),
    ],
)
def test_json_that_cannot_be_read_is_refused_with_words(octets: str, words: str) -> None:
    with pytest.raises(TableRefused, match=words):
        read_export(FORMAT, {"members.json": octets})
