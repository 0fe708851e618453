"""Whatever octets come as an export: they are rows, or refused with a text for people, and nothing else happens."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Mapping
from contextlib import suppress
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.subscription import SubscriptionState
from mailer.errors import MailerError, TableRefused
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ReadOptions
from mailer.importers.export_formats import FORMATS, recognize_format
from mailer.importers.open_export import hash_files, open_export
from mailer.importers.person_row import PersonRow
from mailer.importers.source_files import SourceFile, SourceFiles

_OPTIONS = ReadOptions(state=SubscriptionState.CONFIRMED, zone="Europe/Berlin", source_list="harvest")
_LISTMONK = {
    "uuid": "0f0e0d0c-0000-4000-8000-000000000001",
    "email": "rosa@example.org",
    "name": "Rosa",
    "attribs": {"town": "Lima"},
    "status": "enabled",
    "lists": [{"name": "harvest", "subscription_status": "confirmed", "created_at": "2025-02-03T03:05:06Z"}],
}
SEEDS: Mapping[str, Mapping[str, bytes]] = {
    "mailer": {"people.csv": b"email,name,language,zone,state\nrosa@example.org,Rosa,es,,confirmed\n"},
    "mailman21": {
        "config.pck": pickle.dumps(
            {b"members": {b"rosa@example.org": 0}, b"digest_members": {}, b"user_options": {b"rosa@example.org": 8}},
            protocol=1,
        )
    },
    "mailman3": {"members.txt": b"Rosa <rosa@example.org>\n", "members-owner.txt": b"olu@example.org\n"},
    "sympa": {"member.dump": b"email rosa@example.org\ngecos Rosa\ndate 1304324130\nreception digest\n\n"},
    "mlmmj": {"harvest/subscribers.d/r": b"rosa@example.org\n", "harvest/control/owner": b"olu@example.org\n"},
    "listmonk": {"subscribers.json": json.dumps({"data": {"results": [_LISTMONK]}}).encode()},
    "phplist": {
        "phpList Export.csv": b"id\tEmail\tIs this subscriber confirmed\tIs this subscriber blacklisted\t"
        b"Did this subscriber manually confirm\tNumber of bounces\tEntered\tLast Modified\tUnique ID\t"
        b"Is this account disabled?\tName\tList Membership\n"
        b"1\trosa@example.org\t1\t0\t1\t0\t2019-03-01 10:00:00\t2019-03-01 10:00:00\tab\t0\tRosa\tharvest \n"
    },
    "keila": {"contacts_1.csv": b'Email,First name,Last name,Data,Status\r\nrosa@example.org,Rosa,,"{}",active\r\n'},
    "ghost": {
        "members.csv": b"id,email,name,note,subscribed_to_emails,complimentary_plan,created_at,deleted_at,labels\n"
        b"1,rosa@example.org,Rosa,,true,false,2022-10-07T22:11:05.000Z,,VIP\n"
    },
    "substack": {
        "email_list.csv": b"email,active_subscription,expiry,email_disabled,created_at\n"
        b"rosa@example.org,false,,false,2021-08-27T15:06:27.713Z\n"
    },
    "mailchimp": {
        "subscribed_email_audience_export_0a.csv": b"Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,"
        b"OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,TIMEZONE,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
        b'rosa@example.org,Rosa,,2,2023-04-21 11:16:57,192.0.2.7,2023-04-21 11:20:00,192.0.2.7,,,1,a,,"""VIP"""\n'
    },
    "buttondown": {
        "subscribers.csv": b"email,notes,metadata,tags,type,creation_date\nrosa@example.org,,{},,regular,2025-01-01\n"
    },
    "brevo": {"contacts.csv": b"EMAIL;ADDED_TIME;MODIFIED_TIME\nrosa@example.org;18-06-2024;28-01-2026\n"},
    "google-groups": {
        "harvest.csv": b"Email address,Nickname,Group status,Email status,Email preference,Posting permissions\n"
        b"rosa@example.org,Rosa,member,,All email,Allowed\n"
    },
    "spreadsheet": {"people.csv": b"E-Mail;Vorname;Nachname\nrosa@example.org;Rosa;Berg\n"},
}
_LISTED = {one.name for one in FORMATS}


def _source(contents: Mapping[str, bytes]) -> SourceFiles:
    files = tuple(
        SourceFile(name=name, size=len(octets), open=lambda octets=octets: io.BytesIO(octets))  # type: ignore[misc]
        for name, octets in sorted(contents.items())
    )
    return SourceFiles(name="export", files=files)


def _read_all(contents: Mapping[str, bytes], name: str | None = None) -> None:
    with suppress(MailerError):
        opened = open_export(_source(contents), name, _OPTIONS)
        for _, row in opened.rows.rows:
            assert isinstance(row, PersonRow | BadRow | LeftBehind)
        list(opened.rows.suppressed_keys)
        list(opened.rows.consents)


@pytest.mark.parametrize("name", sorted(SEEDS.keys() & _LISTED))
@settings(max_examples=60)
@given(st.data())
def test_a_damaged_export_gives_rows_or_is_refused(name: str, data: st.DataObject) -> None:
    contents = dict(SEEDS[name])
    damaged = data.draw(st.sampled_from(sorted(contents)))
    octets = bytearray(contents[damaged])
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, max(len(octets) - 1, 0)))
        octets[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    contents[damaged] = bytes(octets)

    _read_all(contents, name)
    _read_all(contents)


@settings(max_examples=60)
@given(st.sampled_from(["people.csv", "people.json", "config.pck", "people.xlsx", "member.dump", ""]), st.binary())
def test_any_octets_are_rows_or_refused(file_name: str, octets: bytes) -> None:
    _read_all({file_name: octets})


@pytest.mark.parametrize("name", sorted(SEEDS.keys() & _LISTED))
def test_each_product_is_recognised_by_what_it_writes(name: str) -> None:
    found, files = recognize_format(_source({**SEEDS[name], "notes.odt": b"PK"}))

    assert found.name == name
    assert {file.name for file in files} == SEEDS[name].keys()


def test_every_product_has_an_export_here() -> None:
    assert SEEDS.keys() >= _LISTED


def test_files_that_nobody_recognises_are_named_with_what_is_read() -> None:
    with pytest.raises(
        TableRefused, match=r"no export that is known here \(it holds a.odt, b.odt\)\. Read are: .*Ghost"
    ):
        open_export(_source({"a.odt": b"PK", "b.odt": b"PK"}), None, ReadOptions())
    with pytest.raises(TableRefused, match="'outlook' is not known here; there are: mailer, "):
        open_export(_source({"a.odt": b"PK"}), "outlook", ReadOptions())
    with pytest.raises(TableRefused, match="holds nothing of Ghost"):
        open_export(_source({"a.odt": b"PK"}), "ghost", ReadOptions())
    with pytest.raises(TableRefused, match="export holds no files"):
        open_export(_source({}), None, ReadOptions())


def test_exports_of_two_products_in_one_place_are_asked_about() -> None:
    both = {**SEEDS["ghost"], **SEEDS["keila"]}
    with pytest.raises(TableRefused, match=r"--from keila: contacts_1\.csv.*--from ghost: members\.csv.*say which"):
        open_export(_source(both), None, ReadOptions())

    assert open_export(_source(both), "Ghost", _OPTIONS).passed_over == ("contacts_1.csv",)


def test_several_tables_of_no_known_product_are_not_taken_together_by_a_guess() -> None:
    tables = {"members.csv": b"email\nrosa@example.org\n", "readme.txt": b"Write to olu@example.org\n"}

    with pytest.raises(TableRefused, match=r"\(members\.csv, readme\.txt\): give one of them, or say --from spread"):
        open_export(_source(tables), None, _OPTIONS)

    assert len(open_export(_source(tables), "spreadsheet", _OPTIONS).files) == 2


def test_more_tables_than_any_export_has_are_refused_unread() -> None:
    def unreadable() -> BinaryIO:
        raise AssertionError("nothing is to be opened")

    files = tuple(SourceFile(name=f"{number}.csv", size=9, open=unreadable) for number in range(501))
    with pytest.raises(TableRefused, match="export has 501 tables, more than 500"):
        open_export(SourceFiles(name="export", files=files), None, ReadOptions())


def test_the_hash_is_of_what_sha256sum_says() -> None:
    source = _source({"a.csv": b"email\n", "b.csv": b""})

    assert hash_files(source.files) == "e237ebd84a0d4dee4864a3f44797ed06f6f82e94457e0647cf79cde8f88a24df"
