"""Mailman 2.1's lists: config.pck of all charsets and versions, and what list_members prints."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formataddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import TableRefused
from mailer.importers.discussion.mailman21 import FORMAT
from mailer.importers.export_format import ReadOptions
from tests.support.export_files import is_mailable, person_facts, read_export, source_files
from tests.support.python2_pickle import BounceInfo, write_python2_pickle

MAY_2024 = datetime(2024, 5, 1, tzinfo=UTC)


def harvest(**attributes: Any) -> bytes:
    """The config.pck of the harvest forum; attributes replace those of a list without anybody."""
    values = {
        "_internal_name": b"harvest",
        "real_name": b"Harvest",
        "host_name": b"lists.example.org",
        "preferred_language": b"en",
        "members": {},
        "digest_members": {},
        "msg_footer": b"____\n%(real_name)s mailing list\n%(web_page_url)slistinfo%(cgiext)s/%(_internal_name)s\n",
        "passwords": {b"ada@example.org": b"not-kept"},
        **attributes,
    }
    return write_python2_pickle({key.encode(): value for key, value in values.items()})


def facts(config: bytes) -> dict[str, dict[str, Any]]:
    people, bad, _ = read_export(FORMAT, {"config.pck": config})
    assert not bad
    return {address: person_facts(row) for address, row in people.items()}


def test_members_keep_their_choices() -> None:
    options = {b"ada@example.org": 2 | 128 | 256, b"ben@example.org": 8, b"cem@example.org": 4 | 16 | 64}
    found = facts(
        harvest(
            members={b"ada@example.org": 0, b"dora@example.org": b"Dora@example.org"},
            digest_members={b"ben@example.org": 0, b"cem@example.org": 0},
            user_options=options,
            language={b"ada@example.org": b"de", b"cem@example.org": b"pt_BR"},
            usernames={b"ada@example.org": b"Ada Okafor", b"ben@example.org": "Ben Çelik"},
        )
    )

    assert found == {
        "ada@example.org": {
            "name": "Ada Okafor",
            "language": "de",
            "own_posts": False,
            "copies": False,
            "moderated": True,
        },
        "Dora@example.org": {},
        "ben@example.org": {"name": "Ben Çelik", "delivery": "digest-plain"},
        "cem@example.org": {"delivery": "digest-mime", "language": "pt-br"},
    }


def test_whose_letters_are_off_gets_none() -> None:
    people = [b"unknown", b"user", b"owner", b"bounce", b"future", b"old", b"score"]
    keys = [name + b"@example.org" for name in people]
    time = MAY_2024.timestamp()
    codes = dict(zip(keys, (1, 2, 3, 4, 77), strict=False))
    found = facts(
        harvest(
            members=dict.fromkeys([*keys, b"soft@example.org"], 0),
            delivery_status={key: (code, time) for key, code in codes.items()},
            user_options={b"old@example.org": 1},
            bounce_info={
                b"score@example.org": BounceInfo(score=5.0, date=(2026, 10, 3)),
                b"soft@example.org": BounceInfo(score=4.5, date=(2026, 10, 3)),
            },
        )
    )

    since = MAY_2024.isoformat()
    assert found == {
        "unknown@example.org": {"paused": since},
        "user@example.org": {"paused": since},
        "owner@example.org": {"paused": since, "by": "owner"},
        "bounce@example.org": {"bounced": since},
        "future@example.org": {"paused": since},
        "old@example.org": {"paused": True},
        "score@example.org": {"bounced": "2026-10-03T00:00:00+00:00"},
        "soft@example.org": {},
    }


def test_roles_bans_and_nonmembers() -> None:
    people, bad, left = read_export(
        FORMAT,
        {
            "config.pck": harvest(
                members={b"ada@example.org": 0, b"ben@example.org": 0},
                digest_members={b"olu@example.org": 0},
                owner=[b"olu@example.org", b"no address"],
                moderator=b"mod@example.org",
                ban_list=[b"^.*@spam", b"Ben@example.org", b"troll@example.org"],
                accept_these_nonmembers=[b"friend@example.org", b"@other", b"ada@example.org"],
                discard_these_nonmembers=[b"^.*", b"ads@example.org"],
                msg_footer=b"Please pay your dues to the harvest forum!",
            )
        },
    )

    assert {address: person_facts(row) for address, row in people.items()} == {
        "ada@example.org": {},
        "ben@example.org": {"banned": True, "by": "owner"},
        "olu@example.org": {"delivery": "digest-mime", "role": "owner"},
        "mod@example.org": {"state": "none", "role": "moderator"},
        "troll@example.org": {"state": "none", "banned": True, "by": "owner"},
        "friend@example.org": {"state": "none", "role": "nonmember", "may_post": True},
        "ads@example.org": {"state": "none", "role": "nonmember", "may_post": False},
    }
    assert [row.place for row in bad] == ["config.pck, owner"]
    assert [one.place for one in left] == [
        "accept_these_nonmembers: @other",
        "discard_these_nonmembers: ^.*",
        "ban_list: ^.*@spam",
        "msg_footer",
    ]


@pytest.mark.parametrize(
    ("language", "charset", "name"),
    [
        ("fr", "iso-8859-1", "Élodie Noël"),
        ("de", "cp1252", "Jürgen Weiß – Šimek"),
        ("ru", "koi8-r", "Алёна Петрова"),
        ("ja", "euc-jp", "山田 花子"),
        ("ko", "euc-kr", "김민수"),
        ("pl", "iso-8859-2", "Wałęsa Żółć"),
        ("tr", "iso-8859-9", "Ayşe Çağlar"),
        ("el", "iso-8859-7", "Ελένη"),
        ("zh_TW", "big5", "王小明"),
        ("zh_CN", "gb2312", "王小明"),
        ("en", "utf-8", "Élodie Noël"),
        ("ja", "utf-8", "山田 花子"),
        ("en", "iso-8859-1", "Noël"),
    ],
)
def test_names_are_read_in_the_charset_of_the_list(language: str, charset: str, name: str) -> None:
    config = harvest(
        preferred_language=language.encode(),
        members={b"ada@example.org": 0},
        usernames={b"ada@example.org": name.encode(charset)},
    )

    assert facts(config) == {"ada@example.org": {"name": name}}


def test_a_config_may_come_over_a_pipe() -> None:
    assert list(read_export(FORMAT, {"": harvest(members={b"ada@example.org": 0})})[0]) == ["ada@example.org"]
    assert not FORMAT.find_files(source_files({"": "ada@example.org\n"}))


def test_no_password_is_in_a_row() -> None:
    people, _, _ = read_export(FORMAT, {"config.pck": harvest(members={b"ada@example.org": 0})})

    assert "not-kept" not in repr(people)


LISTED = {
    "list_members-f-r.txt": """\
Ada Okafor <ada@example.org>
"Ruiz, \\"Pedro\\"" <pedro@example.org>
bounced@example.org
""",
    "list_members-d-mime.txt": "mime@example.org\n",
    "list_members-d-plain.txt": "plain@example.org\n",
    "list_members-d.txt": "mime@example.org\nplain@example.org\nother@example.org\n",
    "list_members-p.txt": "Ada@example.org\npedro@example.org\nmime@example.org\n",
    "list_members-n.txt": "bounced@example.org\npedro@example.org\nother@example.org\n",
    "list_members-n-bybounce.txt": "bounced@example.org\n",
    "list_members-n-byadmin.txt": "pedro@example.org\n",
    "list_members-m.txt": "mime@example.org\n",
}


def test_files_of_list_members_are_taken_together() -> None:
    people, bad, _ = read_export(FORMAT, LISTED)

    assert not bad
    assert {address: person_facts(row) for address, row in people.items()} == {
        "Ada@example.org": {"name": "Ada Okafor"},
        "pedro@example.org": {"name": 'Ruiz, "Pedro"', "paused": True, "by": "owner"},
        "bounced@example.org": {"bounced": True},
        "mime@example.org": {"delivery": "digest-mime", "moderated": True},
        "plain@example.org": {"delivery": "digest-plain"},
        "other@example.org": {"delivery": "digest", "paused": True},
    }


def test_who_is_not_among_the_enabled_gets_no_letters() -> None:
    people, _, _ = read_export(
        FORMAT,
        {"list_members.txt": "ada@example.org\nben@example.org\n", "list_members-n-enabled.txt": "ada@example.org\n"},
    )

    assert [is_mailable(people[address]) for address in ("ada@example.org", "ben@example.org")] == [True, False]


def test_one_list_of_members_says_what_it_cannot_know() -> None:
    (file,) = source_files({"list_members.txt": "ada@example.org\n"})

    rows = FORMAT.read([file], ReadOptions())

    assert len(rows.guessed) == 2
    assert "--nomail" in rows.guessed[0]


def test_a_config_wins_over_lists_of_members() -> None:
    people, bad, _ = read_export(
        FORMAT,
        {
            "talk/config.pck": harvest(
                digest_members={b"ada@example.org": 0},
                members={b"ben@example.org": 0},
                user_options={b"ada@example.org": 8},
            ),
            "list_members.txt": "Ada@example.org\nben@example.org\nleft@example.org\n",
            "list_members-n-byuser.txt": "ben@example.org\n",
        },
    )

    assert {address: person_facts(row) for address, row in people.items()} == {
        "Ada@example.org": {"delivery": "digest-plain"},
        "ben@example.org": {"paused": True},
    }
    assert ["left@example.org" in row.reason for row in bad] == [True]


CONFIG_LIST = r"""# -*- python -*-
## "harvest" mailing list configuration settings
owner = ['olu@example.org', "mod.o'neil@example.org"]
ban_list = ['^.*@spam\\.org', 'troll@example.org']
import os; os.system("true")
max_message_size = 40
msg_footer = 'Pay your dues!'
"""


def test_config_list_names_owners_and_bans() -> None:
    people, _, left = read_export(
        FORMAT,
        {
            "list_members.txt": "ada@example.org\n",
            "config_list.txt": CONFIG_LIST,
        },
    )

    assert {address: person_facts(row) for address, row in people.items()} == {
        "ada@example.org": {},
        "olu@example.org": {"state": "none", "role": "owner"},
        "mod.o'neil@example.org": {"state": "none", "role": "owner"},
        "troll@example.org": {"state": "none", "banned": True, "by": "owner"},
    }
    assert [one.place for one in left] == [r"ban_list: ^.*@spam\.org", "msg_footer"]


def test_of_several_lists_one_is_asked_for() -> None:
    contents = {"a/config.pck": harvest(), "b/config.pck": harvest(_internal_name=b"b", members={b"b@example.org": 0})}

    with pytest.raises(TableRefused, match="--source-list"):
        read_export(FORMAT, contents)
    assert list(read_export(FORMAT, contents, ReadOptions(source_list="b"))[0]) == ["b@example.org"]


@pytest.mark.parametrize(
    ("name", "octets", "words"),
    [
        ("config.pck.last", harvest(), "an older copy"),
        ("config.db", b"{s\x07\x00\x00\x00members{0", "Mailman 2.0"),
        ("config.pck", harvest()[:-20], "cut off"),
        ("config.pck", b"\x80\x02]q\x00.", "no attributes"),
        ("config.pck", write_python2_pickle({b"real_name": b"x"}), "no members"),
        ("harvest.pck", b"}(U\x07membersU\x01aucos\nsystem\n.", r"harvest.pck asks for 'os.system'"),
        ("list_members.txt", b"PK\x03\x04", "is an archive"),
    ],
)
def test_what_is_no_list_is_refused_with_words(name: str, octets: bytes, words: str) -> None:
    with pytest.raises(TableRefused, match=words):
        read_export(FORMAT, {name: octets})


LOCAL = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
NAME = st.text("AÉöß,.\"'<>() xyzΩ@", max_size=12).map(str.strip)
MEMBERS = st.dictionaries(
    LOCAL, st.tuples(NAME, st.sampled_from(["r", "mime", "plain"]), st.integers(0, 4)), max_size=8
)
PRINTED = {1: "unknown", 2: "byuser", 3: "byadmin", 4: "bybounce"}


@given(MEMBERS)
def test_config_and_lists_of_members_say_the_same(members: dict[str, tuple[str, str, int]]) -> None:
    """The same list, once as Mailman stores it and once as list_members prints it."""
    lines: dict[str, list[str]] = {f"list_members-f-n-{why}.txt": [] for why in PRINTED.values()}
    lines |= {"list_members-f-r.txt": [], "list_members-f-d-mime.txt": [], "list_members-f-d-plain.txt": []}
    stored: dict[str, dict[bytes, Any]] = {
        name: {} for name in ("members", "digest_members", "usernames", "user_options", "delivery_status")
    }
    for local, (raw, kind, status) in members.items():
        key, line = f"{local}@example.org".encode(), formataddr((None, f"{local}@example.org"))
        name = raw.replace("<", "").replace(">", "")
        if name:
            quoted = name.replace("\\", "\\\\").replace('"', '\\"')
            line = f'"{quoted}" <{line}>' if not name.isalpha() else f"{name} <{line}>"
        stored["members" if kind == "r" else "digest_members"][key] = 0
        stored["usernames"][key] = name
        stored["user_options"][key] = 8 if kind == "plain" else 0
        lines["list_members-f-r.txt" if kind == "r" else f"list_members-f-d-{kind}.txt"].append(line)
        if status:
            stored["delivery_status"][key] = (status, 0.0)
            lines[f"list_members-f-n-{PRINTED[status]}.txt"].append(line)

    from_config = facts(harvest(**stored))
    printed, bad, _ = read_export(FORMAT, {name: "\n".join(some) for name, some in lines.items()})

    assert not bad
    assert {address: person_facts(row) for address, row in printed.items()} == from_config
