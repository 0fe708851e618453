"""Exports for other software: nobody who must not get letters is among its subscribers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.actions.exports.export_for_peer import export_for_peer
from mailer.actions.exports.peers import PEERS, open_peer_files, peer_shape
from mailer.app import App
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.importers.export_format import ReadOptions
from mailer.importers.open_export import open_export
from mailer.importers.person_row import PersonRow
from mailer.importers.sources.open_source import open_source
from mailer.store.exports.people_pages import PersonRecord
from tests.actions.exports.test_export_all import fill
from tests.support.app_helpers import ADMIN, BEA, EMMA, MALLORY, ROSA

_NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
_PEOPLE = st.tuples(
    st.sampled_from(SubscriptionState),
    st.sets(st.sampled_from(SuppressionReason)),
    st.booleans(),
    st.sampled_from(["", *DeliveryMode]),
    _NAMES,
    _NAMES,
)


def record(
    number: int, state: str, reasons: set[str], everywhere: bool, mode: str, name: str, town: str
) -> PersonRecord:
    place = " everywhere" if everywhere else ""
    suppressed = "; ".join(f"{one}{place} 2027-03-01T08:00:00+00:00" for one in sorted(reasons))
    times = ("2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00")
    address = f"reader{number}@example.org"
    return PersonRecord(address, name, "de", "", state, mode, suppressed, *times, {"town": town}, "00" * 32)


def subscribed(peer: str, folder: Path) -> set[str]:
    """Whom the peer would mail, as it reads the files."""
    if peer == "mailman":
        files = [folder / f"{mode}.txt" for mode in ("regular", "mime", "plain")]
        lines = [line for file in files for line in file.read_text().splitlines()]
        return {line.rpartition("<")[2].rstrip(">") for line in lines}
    name = {"listmonk": "confirmed.csv", "mailchimp": "subscribed.csv", "ghost": "members.csv"}[peer]
    rows = list(csv.DictReader(io.StringIO((folder / name).read_text(), newline="")))
    column = "Email Address" if peer == "mailchimp" else "email"
    return {row[column] for row in rows if row.get("subscribed_to_emails", "true") == "true"}


@pytest.mark.parametrize("peer", PEERS)
@given(people=st.lists(_PEOPLE, max_size=12))
def test_nobody_who_must_not_get_letters_is_among_a_peers_subscribers(
    tmp_path_factory: pytest.TempPathFactory, peer: str, people: list[tuple[str, set[str], bool, str, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("peer")
    records = [record(number, *one) for number, one in enumerate(people)]
    with open_peer_files(peer_shape(peer), folder, ["town"]) as files:
        files.write(records)

    mailed = {one.email for one in records if one.state == "confirmed" and not one.suppressed}
    assert subscribed(peer, folder) == mailed
    assert files.people + files.left_out == len(records)


async def test_each_peer_gets_its_own_columns_and_modes(app: App, tmp_path: Path) -> None:
    await fill(app)

    for peer in PEERS:
        await export_for_peer(app, ADMIN, list_name="appeals", peer=peer, folder=tmp_path / peer)

    listmonk = list(csv.reader((tmp_path / "listmonk/confirmed.csv").open(newline="")))
    assert (listmonk[0], listmonk[1][:2]) == (["email", "name", "attributes"], [ROSA, "Rosa"])
    assert json.loads(listmonk[1][2]) == {"language": "de"}
    assert MALLORY in (tmp_path / "listmonk/blocklisted.csv").read_text()
    assert EMMA in (tmp_path / "mailchimp/unsubscribed.csv").read_text()
    assert (tmp_path / "mailman/regular.txt").read_text() == f"Rosa <{ROSA}>\n"
    assert (tmp_path / "mailman/disabled.txt").read_text() == f"{BEA}\n"
    assert (tmp_path / "mailman/banned.txt").read_text() == f"{MALLORY}\n"
    with open_source(tmp_path / "ghost/members.csv") as source:
        rows = [row for _, row in open_export(source, "ghost", ReadOptions()).rows.rows]
    states = {row.address.addr_spec: row.state for row in rows if isinstance(row, PersonRow)}
    assert states == {ROSA: "confirmed", EMMA: "unsubscribed", BEA: "unsubscribed"}
