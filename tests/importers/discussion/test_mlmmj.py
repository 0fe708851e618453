"""mlmmj's list folders: subscribers of three kinds, requests, bounces, roles."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import TableRefused
from mailer.importers.discussion.mlmmj import FORMAT
from mailer.importers.export_format import ReadOptions
from tests.support.export_files import is_mailable, person_facts, read_export, source_files

HARVEST: dict[str, bytes | str] = {
    "harvest/control/listaddress": "harvest@lists.example.org\n",
    "harvest/control/owner": "olu@example.org\nada@example.org\n",
    "harvest/control/moderators": "mod@example.org\n\n",
    "harvest/control/moderated": "",
    "harvest/control/access": "deny ^From: .*@spam\n\nallow\n",
    "harvest/control/footer": "Please pay your dues.\n",
    "harvest/control/prefix": "[harvest]\n",
    "harvest/subscribers.d/a": "Ada@example.org\n\nada+news@example.org\nno address\n",
    "harvest/subscribers.d/b": "ben@example.org\nboth@example.org\n",
    "harvest/subscribers.d/l": "leaving@example.org\n",
    "harvest/subscribers.d/.lock": "lock@example.org\n",
    "harvest/digesters.d/b": "both@example.org\n",
    "harvest/digesters.d/d": "dora@example.org\n",
    "harvest/nomailsubs.d/b": "ben@example.org\n",
    "harvest/nomailsubs.d/q": "quiet@example.org\r\n",
    "harvest/subconf/0a1b2c3d4e5f6071": "asked@example.org\n",
    "harvest/unsubconf/0a1b2c3d4e5f6072": "leaving@example.org",
    "harvest/unsubconf/0a1b2c3d4e5f6073": "stranger@example.org\n",
    "harvest/bounce/ada+news=example.org": "1:1700000000 # Tue Nov 14 2023\n2:1700086400 # Wed Nov 15 2023\n",
    "harvest/bounce/ada+news=example.org.lastmsg": "From: x@example.org\n",
    "harvest/bounce/former=example.org": "1:1700000000 # Tue Nov 14 2023\n",
    "harvest/archive/1": "From: someone@example.org\n\nHello\n",
    "harvest/index": "1\n",
}


def facts(contents: dict[str, bytes | str], options: ReadOptions | None = None) -> dict[str, dict[str, Any]]:
    people, _, _ = read_export(FORMAT, contents, options)
    return {address: person_facts(row) for address, row in people.items()}


def test_a_whole_folder() -> None:
    people, bad, left = read_export(FORMAT, HARVEST)

    assert {address: person_facts(row) for address, row in people.items()} == {
        "Ada@example.org": {"role": "owner"},
        "ada+news@example.org": {},
        "ben@example.org": {"paused": True},
        "both@example.org": {},
        "leaving@example.org": {"paused": True},
        "dora@example.org": {"delivery": "digest-mime"},
        "quiet@example.org": {"paused": True},
        "asked@example.org": {"state": "pending"},
        "olu@example.org": {"state": "none", "role": "owner"},
        "mod@example.org": {"state": "none", "role": "moderator"},
    }
    assert people["ada+news@example.org"].remarks == ("2 bounces on record",)
    assert people["both@example.org"].remarks == ("is in subscribers.d and digesters.d",)
    assert [(row.line, row.place) for row in bad] == [(4, "harvest/subscribers.d/a")]
    assert [one.place for one in left] == [
        "control/access: deny ^From: .*@spam",
        "control/footer",
    ]


def test_the_folder_itself_may_be_given() -> None:
    inside = {name.removeprefix("harvest/"): content for name, content in HARVEST.items()}

    assert facts(inside) == facts(HARVEST)


def test_whoever_asked_again_is_asked_again() -> None:
    contents = {"subscribers.d/a": "ada@example.org\n", "subconf/1": "ada@example.org\n"}

    assert facts({**contents}) == {"ada@example.org": {"state": "pending"}}


def test_of_several_lists_one_is_asked_for() -> None:
    contents = {**HARVEST, "lists/bees/subscribers.d/a": "bee@example.org\n"}

    with pytest.raises(TableRefused, match="--source-list"):
        facts(contents)
    assert list(facts(contents, ReadOptions(source_list="bees"))) == ["bee@example.org"]
    assert facts(contents, ReadOptions(source_list="harvest@lists.example.org")) == facts(HARVEST)


def test_other_folders_are_not_taken() -> None:
    others: dict[str, bytes | str] = {"control/owner": "a@example.org", "bounce/a=b": "", "subscribers/a": "x@y.org"}

    assert not FORMAT.find_files(source_files(others))


FOLDERS = ("subscribers.d", "digesters.d", "nomailsubs.d")


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9+.]{0,6}[a-z]", fullmatch=True).filter(lambda local: ".." not in local),
        st.sets(st.sampled_from(FOLDERS), min_size=1),
        min_size=1,
        max_size=9,
    )
)
def test_each_subscriber_is_read_from_where_it_lies(people: dict[str, set[str]]) -> None:
    contents: dict[str, str] = {}
    for local, folders in people.items():
        for folder in folders:
            name = f"{folder}/{local[0]}"
            contents[name] = contents.get(name, "") + f"{local}@example.org\n"
    found, bad, _ = read_export(FORMAT, {**contents})

    assert not bad
    assert found.keys() == {f"{local}@example.org" for local in people}
    for local, folders in people.items():
        row = found[f"{local}@example.org"]
        assert is_mailable(row) == ("nomailsubs.d" not in folders)
        assert (str(row.delivery_mode) == "each") == (folders != {"digesters.d"})


@given(st.data())
def test_damaged_files_are_refused_or_read(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(HARVEST)))
    files = source_files({**HARVEST, name: data.draw(st.binary(max_size=60))})
    try:
        list(FORMAT.read(FORMAT.find_files(files), ReadOptions()).rows)
    except TableRefused:
        return
