"""Mailchimp's audience export: states by file, consent by times and IPs, fields that people have renamed."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.person_row import EvidenceGrade
from tests.support.export_files import is_mailable
from tests.support.recognized_exports import read_export, read_people, read_rows, recognized_name, standing

FIELDS = "Email Address,First Name,Last Name,Address,Phone Number"
SYSTEM = "MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION"
TAIL = "LEID,EUID,NOTES,TAGS"
SUBSCRIBED = f"{FIELDS},{SYSTEM},LAST_CHANGED,{TAIL}"
UNSUBSCRIBED = (
    f"{FIELDS},{SYSTEM},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,{TAIL}"
)
CLEANED = f"{FIELDS},{SYSTEM},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,{TAIL}"
NAME = "{}_email_audience_export_0f3a9c.csv"


def table(heading: str, *rows: dict[str, str]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, heading.split(","), lineterminator="\r\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


GREETA = {
    "Email Address": "greeta@example.org",
    "First Name": "Greeta",
    "Last Name": "Õun",
    "OPTIN_TIME": "2024-03-01 07:00:00",
    "OPTIN_IP": "192.0.2.1",
    "CONFIRM_TIME": "2024-03-01 07:05:00",
    "CONFIRM_IP": "192.0.2.2",
    "TIMEZONE": "Europe/Tallinn",
    "TAGS": '"Orchard","Plums, pears"',
}


def test_the_four_files_of_a_zip_say_the_states() -> None:
    people = read_people(
        {
            NAME.format("subscribed"): table(SUBSCRIBED, GREETA),
            NAME.format("unsubscribed"): table(
                UNSUBSCRIBED,
                {"Email Address": "left@example.org", "UNSUB_TIME": "2024-06-06 12:56:15", "UNSUB_REASON": "NORMAL"},
                {"Email Address": "angry@example.org", "UNSUB_TIME": "2024-06-07 12:56:15", "UNSUB_REASON": "SPAM"},
                {"Email Address": "abuse@example.org", "UNSUB_REASON": "ABUSE"},
            ),
            NAME.format("cleaned"): table(
                CLEANED, {"Email Address": "gone@example.org", "CLEAN_TIME": "2023-01-02 03:04:05"}
            ),
            NAME.format("nonsubscribed"): table(SUBSCRIBED, {"Email Address": "shopper@example.org"}),
        }
    )

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "greeta": "confirmed",
        "left": "unsubscribed",
        "angry": "unsubscribed complained everywhere",
        "abuse": "unsubscribed complained everywhere",
        "gone": "confirmed bounced",
        "shopper": "none",
    }
    greeta = people["greeta@example.org"]
    assert (greeta.name, greeta.zone, greeta.attributes) == (
        "Greeta Õun",
        "Europe/Tallinn",
        {"tags": "Orchard; Plums, pears"},
    )
    assert greeta.agreed_at is not None
    assert greeta.agreed_at.isoformat() == "2024-03-01T07:05:00+00:00"
    assert greeta.evidence["confirm_ip"] == "192.0.2.2"
    changed = people["left@example.org"].changed_at
    assert changed is not None
    assert changed.isoformat() == "2024-06-06T12:56:15+00:00"


@pytest.mark.parametrize(
    ("name", "heading", "expected"),
    [
        ("subscribed_members_export_0f3a9c.csv", SUBSCRIBED, "confirmed"),
        ("export/subscribed/members.csv", SUBSCRIBED, "confirmed"),
        ("Harvest forum_non-subscribed (1).csv", SUBSCRIBED, "none"),
        ("nonsubscribed_members_export_0f3a9c.csv", SUBSCRIBED, "none"),
        ("pending.csv", SUBSCRIBED, "pending"),
        ("archived_members.csv", SUBSCRIBED, "unsubscribed"),
        ("members.csv", UNSUBSCRIBED, "unsubscribed"),
        ("subscribed_members_export_0f3a9c.csv", UNSUBSCRIBED, "unsubscribed"),
        ("", CLEANED, "confirmed bounced"),
    ],
)
def test_a_file_alone_says_its_state_by_name_or_columns(name: str, heading: str, expected: str) -> None:
    people = read_people({name: table(heading, {"Email Address": "ida@example.org"})})

    assert standing(people["ida@example.org"]) == expected


def test_a_file_that_lost_its_name_needs_the_state() -> None:
    files = {"members.csv": table(SUBSCRIBED, {"Email Address": "ida@example.org"})}

    with pytest.raises(TableRefused, match=r"members\.csv has lost its name"):
        read_export(files)

    people = read_people(files, ReadOptions(state=SubscriptionState.CONFIRMED))
    assert is_mailable(people["ida@example.org"])


@pytest.mark.parametrize(
    ("cells", "grade"),
    [
        (GREETA, EvidenceGrade.STRONG),
        (GREETA | {"CONFIRM_TIME": GREETA["OPTIN_TIME"]}, EvidenceGrade.SOME),
        (GREETA | {"CONFIRM_IP": ""}, EvidenceGrade.SOME),
        (GREETA | {"CONFIRM_IP": "", "OPTIN_IP": ""}, EvidenceGrade.SOME),
        (GREETA | {"CONFIRM_IP": "", "OPTIN_IP": "", "OPTIN_TIME": ""}, EvidenceGrade.NONE),
        (GREETA | {"CONFIRM_IP": "", "OPTIN_IP": "", "CONFIRM_TIME": GREETA["OPTIN_TIME"]}, EvidenceGrade.NONE),
        (GREETA | {"CONFIRM_TIME": ""}, EvidenceGrade.NONE),
    ],
)
def test_evidence_is_as_strong_as_the_confirmation(cells: dict[str, str], grade: EvidenceGrade) -> None:
    people = read_people({NAME.format("subscribed"): table(SUBSCRIBED, cells)})

    assert people["greeta@example.org"].evidence_grade is grade


def test_renamed_and_own_fields_come_along() -> None:
    heading = f"Adresse,Vorname,Nachname,Sprache,Garten,Interessen,Contact Email,notes,{SYSTEM},LAST_CHANGED,{TAIL}"
    row = {"Adresse": "udo@example.org", "Vorname": "Udo", "Nachname": "Weiß", "Sprache": "Deutsch"}
    more = {"Garten": "Hinterhof", "Interessen": "Äpfel, Birnen", "notes": "mag Quitten", "NOTES": "added by Ann"}

    people = read_people({NAME.format("subscribed"): table(heading, row | more)})

    udo = people["udo@example.org"]
    assert (udo.name, udo.language) == ("Udo Weiß", "de")
    assert udo.attributes == {"garten": "Hinterhof", "interessen": "Äpfel, Birnen", "notes": "mag Quitten"}
    assert udo.evidence["note"] == "added by Ann"


def test_who_is_in_two_files_gets_the_stricter_state() -> None:
    people = read_people(
        {
            NAME.format("subscribed"): table(SUBSCRIBED, {"Email Address": "ida@example.org"}),
            NAME.format("unsubscribed"): table(UNSUBSCRIBED, {"Email Address": "IDA@example.org"}),
        }
    )

    assert [standing(person) for person in people.values()] == ["unsubscribed"]


def member(**fields: object) -> dict[str, object]:
    return {"email_address": "ida@example.org", "status": "subscribed", "merge_fields": {}} | fields


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "subscribed"}, "confirmed"),
        ({"status": "pending"}, "pending"),
        ({"status": "archived"}, "unsubscribed"),
        ({"status": "transactional"}, "none"),
        ({"status": "cleaned"}, "confirmed bounced"),
        ({"status": "unsubscribed", "unsubscribe_reason": "N/A (Unsubscribed by an admin)"}, "unsubscribed"),
        ({"status": "unsubscribed", "unsubscribe_reason": "Abuse complaint"}, "unsubscribed complained everywhere"),
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_members_of_the_api(fields: dict[str, object], expected: str, wrapped: bool) -> None:
    members = [member(**fields)]

    people = read_people({"members.json": json.dumps({"members": members, "total_items": 1} if wrapped else members)})

    assert standing(people["ida@example.org"]) == expected


def test_a_member_of_the_api_in_every_field() -> None:
    ida = member(
        full_name="Ida Moss",
        merge_fields={"FNAME": "Ida", "LNAME": "Moss", "ADDRESS": {"addr1": "Mill Lane 2", "city": "Ely"}, "PLOT": 7},
        language="en",
        location={"timezone": "Europe/London"},
        timestamp_signup="2024-03-01T07:00:00+00:00",
        ip_signup="192.0.2.1",
        timestamp_opt="2024-03-01T07:05:00+00:00",
        ip_opt="192.0.2.2",
        tags=[{"id": 1, "name": "Orchard"}, {"id": 2, "name": "Plums"}],
        source="Hosted form",
    )

    person = read_people({"members.json": json.dumps({"members": [ida]})})["ida@example.org"]

    assert (person.name, person.language, person.zone) == ("Ida Moss", "en", "Europe/London")
    assert person.attributes == {"address": "Mill Lane 2, Ely", "plot": "7", "tags": "Orchard; Plums"}
    assert person.evidence_grade is EvidenceGrade.STRONG
    assert person.evidence["source"] == "Hosted form"


def test_an_unknown_status_of_the_api_is_a_bad_row() -> None:
    people, bad = read_rows({"members.json": json.dumps({"members": [member(status="vip")]})})

    assert people == {}
    assert [one.where for one in bad if isinstance(one, BadRow)] == ["members.json"]
    assert "'vip'" in bad[0].reason


ADDRESS = st.from_regex(r"[a-z]{1,9}@example\.(?:org|net)", fullmatch=True)
WORD = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8)
PERSON = st.fixed_dictionaries(
    {
        "Email Address": ADDRESS,
        "First Name": WORD,
        "Last Name": WORD,
        "OPTIN_TIME": st.datetimes().map(lambda at: at.strftime("%Y-%m-%d %H:%M:%S")),
        "NOTES": st.sampled_from(["", "a, b", 'says "hi"', "two\nlines"]),
        "TAGS": st.lists(WORD, max_size=3).map(lambda tags: ",".join(f'"{tag}"' for tag in tags)),
    }
)


@settings(max_examples=30)
@given(st.lists(PERSON, max_size=5, unique_by=lambda person: person["Email Address"]))
def test_what_mailchimp_writes_is_read_back(rows: list[dict[str, str]]) -> None:
    people = read_people({NAME.format("subscribed"): table(SUBSCRIBED, *rows)})

    assert {
        address: (one.attributes.get("tags", ""), one.evidence.get("optin")) for address, one in people.items()
    } == {row["Email Address"]: (row["TAGS"].replace('","', "; ").strip('"'), row["OPTIN_TIME"]) for row in rows}
    assert all(row["First Name"].casefold() in (people[row["Email Address"]].name or "").casefold() for row in rows)


def test_it_is_mailchimps_and_nobody_elses() -> None:
    assert recognized_name({NAME.format("cleaned"): table(CLEANED)}) == "mailchimp"
