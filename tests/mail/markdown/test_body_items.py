"""The body of a letter in its items."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.markdown.body_items import ItemizedBody, split_items
from mailer.mail.markdown.markdown import parse_markdown, render_html

PICTURE = "![Apples](https://forum.example.org/apples.jpg)"
BLOCKS = st.sampled_from(
    (
        *("## Beans", "# Peas", "### Leeks", "Words.", PICTURE, f"[{PICTURE}](https://forum.example.org)"),
        *("- one\n- two", "> said", "::: callout\n## said\n:::", "[Come](https://forum.example.org){.button}"),
        *("> ## said", "---", "1. ## one", "    code", "| a |\n|---|\n| b |"),
    )
)


def split(text: str) -> ItemizedBody:
    return split_items(parse_markdown(text), render_html)


def test_each_second_level_heading_begins_an_item():
    body = split("Hello.\n\n## Beans\n\nTall ones.\n\n### Sorts\n\n## Peas\n\nShort ones.")

    assert body.intro == "<p>Hello.</p>\n"
    assert [item.heading for item in body.items] == ["<h2>Beans</h2>\n", "<h2>Peas</h2>\n"]
    assert [item.body for item in body.items] == ["<p>Tall ones.</p>\n<h3>Sorts</h3>\n", "<p>Short ones.</p>\n"]


def test_a_picture_right_below_the_heading_leads_its_item():
    linked = split(f"## Beans\n\n[{PICTURE}](https://forum.example.org/beans)\n\nTall ones.").items[0]
    later = split(f"## Beans\n\nTall ones.\n\n{PICTURE}").items[0]
    among_words = split(f"## Beans\n\n{PICTURE} and words").items[0]

    assert "<img" in linked.picture
    assert 'href="https://forum.example.org/beans"' in linked.picture
    assert linked.body == "<p>Tall ones.</p>\n"
    assert later.picture == among_words.picture == ""


def test_a_leading_picture_of_ours_is_as_wide_as_its_card_and_the_body_keeps_its_own():
    own = f"![Apples](/media/{'3f' * 16}/apples-1200x800.jpg)"
    tokens = parse_markdown(f"## Beans\n\n{own}")

    item = split_items(tokens, render_html).items[0]

    assert 'width="598" height="399"' in item.picture
    assert 'width="512" height="341"' in render_html(tokens)


def test_signature_and_footnotes_belong_to_no_item():
    body = split("## Beans\n\nTall ones.[^1]\n\n::: signature\nRosa\n:::\n\n[^1]: Two metres.")

    assert body.items[0].body == '<p>Tall ones.<sup class="footnote">1</sup></p>\n'
    assert [word in body.outro for word in ("Rosa", "Two metres", "Tall")] == [True, True, False]


def test_a_heading_within_a_quotation_or_a_list_begins_no_item():
    body = split("> ## said\n\n1. ## one\n")

    assert body.items == ()
    assert body.intro.count("<h2>") == 2


@given(st.lists(BLOCKS, max_size=12))
def test_the_parts_hold_the_whole_body_each_block_once(blocks):
    text = "\n\n".join(blocks)
    body = split(text)

    parts = [body.intro, *(part for item in body.items for part in (item.heading, item.picture, item.body)), body.outro]
    assert "".join(parts).split() == render_html(parse_markdown(text)).split()
