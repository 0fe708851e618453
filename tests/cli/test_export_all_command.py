"""`mailer export-all` on the command line: what it says, and what it refuses."""

from __future__ import annotations

import json

from tests.support.terminal import Terminal


def test_a_list_is_exported_whole_or_for_another_product_into_a_new_folder_only(with_list: Terminal) -> None:
    with_list("subscribers", "add", "rosa@example.org", "--list", "appeals", "--name", "Rosa")

    out = with_list("export-all", "out", "--list", "appeals")
    with_list("export-all", "out", "--list", "appeals", code=1)
    refused = with_list.said
    done = json.loads(with_list("export-all", "ghost", "--as", "ghost", "--json"))
    with_list("export-all", "other", "--as", "pigeons", code=2)
    unknown = with_list.said

    assert out == "appeals: 1 people, 0 suppressions, 0 campaigns\n"
    assert "out is not empty" in refused
    assert (done[0]["list"], done[0]["people"]) == ("appeals", 1)
    assert "rosa@example.org,Rosa,,true" in (with_list.folder / "ghost/appeals/members.csv").read_text()
    assert "listmonk, mailchimp, mailman, ghost" in unknown
    assert sorted(one.name for one in (with_list.folder / "out").iterdir()) == [
        *("README.txt", "consent.jsonl", "list.toml", "people.csv", "suppressions.csv"),
    ]
