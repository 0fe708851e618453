"""Files beside a campaign file: found with their lines, and named by their paths here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.media.local_files import find_local_files, name_local_files

_KEPT = f"/media/{'0' * 32}/kept-10x10.png"
TEXT = f"""---
subject: Come
attachments:
  - programme.pdf   # of the day
  - "notes/what to bring.txt"
  - {_KEPT.replace("-10x10.png", ".pdf")}
tags: [a, b]
---
![Apples](apples.jpg "Red ones")

![Barn](<the barn.png>) and again ![Apples](apples.jpg)

[Our page](https://example.org/a.pdf), [programme](programme.pdf), [later](later.html), ![kept]({_KEPT})
[mail](mailto:ada@example.org), ![far](https://example.org/b.png), ![There][there]

`![code](code.jpg)`

[there]: there/view.jpg
"""


def test_the_files_that_a_text_names_are_found_with_their_lines() -> None:
    assert [(one.path, one.line) for one in find_local_files(TEXT)] == [
        ("programme.pdf", 4),
        ("notes/what to bring.txt", 5),
        ("apples.jpg", 9),
        ("the barn.png", 11),
        ("there/view.jpg", 14),
    ]


def test_they_are_named_by_their_paths_and_everything_else_stays() -> None:
    paths = {one.name: f"/media/{number:032}/x.pdf" for number, one in enumerate(find_local_files(TEXT))}

    named = name_local_files(TEXT, paths)

    assert find_local_files(named) == ()
    assert (
        f"attachments: [{paths['programme.pdf']}, {paths['notes/what to bring.txt']}, /media/{'0' * 32}/kept.pdf]"
        in (named)
    )
    assert f'![Apples]({paths["apples.jpg"]} "Red ones")' in named
    assert f"[programme]({paths['programme.pdf']}), [later](later.html), ![kept]({_KEPT})" in named
    assert f"[there]: {paths['there/view.jpg']}" in named
    assert "`![code](code.jpg)`" in named
    assert "tags: [a, b]" in named


def test_a_text_without_such_files_stays_as_it_is() -> None:
    text = "---\nsubject: Come\n---\nHi\n"

    assert find_local_files(text) == ()
    assert name_local_files(text, {}) == text


@pytest.mark.parametrize(
    "name",
    [
        "../apples.jpg",
        "a/../../b.jpg",
        "/etc/passwd",
        "%2e%2e/apples.jpg",
        "..%5Capples.jpg",
        "~/apples.jpg",
        "a%00.jpg",
    ],
)
def test_nothing_outside_the_folder_is_taken(name: str) -> None:
    with pytest.raises(CampaignFileRefused, match="not in the folder") as in_body:
        find_local_files(f"---\nsubject: Come\n---\nHi\n\n![Apples]({name})\n")
    with pytest.raises(CampaignFileRefused, match="not in the folder") as attached:
        find_local_files(f"---\nsubject: Come\nattachments: ['{name}']\n---\nHi\n")

    assert (in_body.value.line, attached.value.line) == (6, 3)


_WORD = st.text("abcäş 7_-", min_size=1, max_size=8).map(str.strip).filter(lambda word: word.strip("-_ ") == word != "")


@given(st.lists(_WORD, min_size=1, max_size=4, unique=True))
def test_whatever_files_are_called_the_named_text_can_be_sent(words: list[str]) -> None:
    body = "\n\n".join(f"![A picture](<{word}.jpg>)" for word in words)
    text = f"---\nsubject: Come\n---\n{body}\n"

    found = find_local_files(text)
    named = name_local_files(text, {one.name: f"/media/{n:032}/a-10x10.jpg" for n, one in enumerate(found)})

    assert [one.path for one in found] == [f"{word}.jpg" for word in words]
    assert find_local_files(named) == ()
    assert parse_campaign_file(named, "en").body.count("/media/") == len(words)
