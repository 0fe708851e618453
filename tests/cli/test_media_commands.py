"""`mailer media` at the terminal."""

from __future__ import annotations

import json

import pytest

from tests.support.media_samples import PDF, photo
from tests.support.terminal import Terminal


@pytest.fixture
def ada(with_list: Terminal) -> Terminal:
    """Ada at her terminal, with her list, a picture and a programme."""
    (with_list.folder / "apples.jpg").write_bytes(photo(2400, 1500))
    (with_list.folder / "programme.pdf").write_bytes(PDF)
    (with_list.folder / "run.sh").write_text("#!/bin/sh\n")
    return with_list


def test_added_files_have_paths_and_are_listed(ada: Terminal) -> None:
    paths = ada("media", "add", "apples.jpg", "programme.pdf", "--list", "appeals").splitlines()
    again = json.loads(ada("media", "add", "apples.jpg", "--list", "appeals", "--json"))
    listed = ada("media", "ls").splitlines()
    as_json = json.loads(ada("media", "ls", "--json"))

    assert paths[0].endswith("/apples-1200x750.jpg")
    assert paths[1].endswith("/programme.pdf")
    assert [(one["path"], one["width"], one["height"]) for one in again] == [(paths[0], 1200, 750)]
    assert {line.split("\t")[0] for line in listed} == set(paths) == {one["path"] for one in as_json}


def test_what_letters_cannot_have_is_refused_in_a_sentence(ada: Terminal) -> None:
    ada("media", "add", "run.sh", "--list", "appeals", code=1)
    ada("media", "add", "nothing.jpg", "--list", "appeals", code=2)
    ada("media", "add", "apples.jpg", "--list", "walks", code=1)

    assert ada("media", "ls") == ""


def test_a_list_gets_its_colour_and_its_logo(ada: Terminal) -> None:
    changed = json.loads(ada("list", "set", "appeals", "--accent-color", "#A25", "--logo", "apples.jpg", "--json"))
    ada("list", "set", "appeals", "--accent-color", "green", code=2)
    ada("list", "set", "appeals", "--logo", "programme.pdf", code=2)
    ada("list", "set", "appeals", "--logo", "nothing.png", code=2)
    bare = json.loads(ada("list", "set", "appeals", "--accent-color", "", "--logo", "", "--json"))

    assert changed["accent_color"] == "#aa2255"
    assert changed["logo"].endswith("/apples-1200x750.jpg")
    assert (bare["accent_color"], bare["logo"]) == (None, None)


WITH_FILES = """---
subject: Come to the harvest
attachments: [programme.pdf]
---
Dear all, look at these.

![Red apples](pictures/apples.jpg)
"""


def test_files_beside_a_campaign_file_are_taken_in(ada: Terminal) -> None:
    (ada.folder / "pictures").mkdir()
    (ada.folder / "apples.jpg").rename(ada.folder / "pictures" / "apples.jpg")
    (ada.folder / "appeal.md").write_text(WITH_FILES)

    number = ada("campaign", "new", "appeal.md", "--list", "appeals").strip()
    kept = [line.split("\t")[0] for line in ada("media", "ls").splitlines()]
    shown = ada("campaign", "show", number)
    source = ada("campaign", "preview", number, "--as", "source")
    (ada.folder / "appeal.md").write_text(WITH_FILES.replace("Red", "Green"))
    ada("campaign", "correct", number, "appeal.md")

    assert all(path in shown for path in kept)
    assert "pictures/apples.jpg" not in shown
    assert 'filename="programme.pdf"' in source
    assert "![Green apples](/media/" in ada("campaign", "show", number)
    assert len(ada("media", "ls").splitlines()) == len(kept) == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing.jpg", "line 7: nothing.jpg cannot be read"),
        ("run.sh", "line 7: run.sh cannot be in a letter"),
        ("programme.pdf", "line 7: programme.pdf is no picture"),
        ("../apples.jpg", "line 7: '../apples.jpg' is not in the folder"),
        ("out.jpg", "line 7: out.jpg cannot be read: it leads out of the campaign file's folder"),
    ],
)
def test_files_that_cannot_be_taken_in_are_named_with_their_line(ada: Terminal, name: str, words: str) -> None:
    (ada.folder / "out.jpg").symlink_to("/etc/passwd")
    (ada.folder / "appeal.md").write_text(WITH_FILES.replace("pictures/apples.jpg", name))

    ada("campaign", "new", "appeal.md", "--list", "appeals", code=1)

    assert f"appeal.md: {words}" in ada.said
    assert "![Red" not in ada("campaign", "ls")
