"""A letter's HTML made fit for a public page."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.markdown.web_html import clean_for_web, find_pictures

OWN = "/media/0123456789abcdef0123456789abcdef/apples-1200x800.jpg"


def test_own_pictures_stay_and_those_of_others_become_links():
    shown = clean_for_web(
        f'<p><img src="{OWN}" alt="Apples" width="600" height="400"> '
        '<img src="https://example.org/a.gif?x=1&amp;y=2" alt="A &gt; B"> '
        '<img src="https://example.org/b.gif" alt=""></p>'
    )

    assert f'<img src="{OWN}" alt="Apples" width="600" height="400">' in shown
    assert '<a href="https://example.org/a.gif?x=1&amp;y=2">A &gt; B</a>' in shown
    assert '<a href="https://example.org/b.gif">example.org</a>' in shown
    assert find_pictures(shown) == (OWN,)


def test_a_picture_of_others_in_a_link_leaves_its_words_in_the_link():
    shown = clean_for_web('<a href="https://example.org/"><img src="https://example.org/a.gif" alt="Apples"></a>')

    assert shown == '<a href="https://example.org/">Apples</a>'


def test_only_the_blocks_classes_are_kept_and_no_style():
    shown = clean_for_web('<div class="columns evil" style="color:red"><div class="column x">a</div></div>')

    assert shown == '<div class="columns"><div class="column">a</div></div>'


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '<a href="javascript:alert(1)">x</a>',
        '<img src="data:image/png;base64,AA==" alt="x">',
        '<img src="//example.org/x.png" alt="x">',
        '<img src="https://example.org/x.png" srcset="https://example.org/y.png 2x" alt="x">',
        '<img src="/media/../x.png" onerror="alert(1)" alt="x">',
        '<style>p{background:url("https://example.org/x")}</style>',
        '<iframe src="https://example.org"></iframe>',
        '<form action="/leave/x"><button>x</button></form>',
        '<table background="https://example.org/x.png"><tr><td background="https://example.org/x.png">x</td></tr></table>',
        '<p style="background:url(https://example.org/x)">x</p>',
        '<svg><image href="https://example.org/x.png"/></svg>',
        '<video poster="https://example.org/x.png"></video>',
    ],
)
def test_nothing_runs_and_nothing_is_fetched(evil):
    shown = clean_for_web(f"<p>before</p>{evil}<p>after</p>")
    tree = html5lib.parseFragment(shown, namespaceHTMLElements=False)

    assert "before" in shown
    assert "after" in shown
    for element in tree.iter():
        assert element.tag not in {"script", "style", "iframe", "form", "button", "svg", "image", "video"}
        assert not {"style", "srcset", "background", "onerror", "poster"} & element.attrib.keys()
        assert element.tag != "img" or element.get("src", "").startswith("/media/")
        assert not element.get("href", "").startswith(("javascript:", "data:"))


TAGS = ["<img ", "<a ", "</a>", ">", "/>", "<p>", "</p>", "<table>", "<td>", "<!--", "-->", "<script>"]
INSIDE = ['src="', 'href="', 'alt="', '"', "'", "=", " ", "onload=", "&quot;", "&gt;", OWN, "https://example.org/x.png"]
PIECES = st.lists(st.sampled_from([*TAGS, *INSIDE]) | st.text(max_size=5), max_size=30).map("".join)


@given(PIECES)
def test_whatever_comes_in_no_picture_of_others_comes_out(html):
    shown = clean_for_web(html)

    for element in html5lib.parseFragment(shown, namespaceHTMLElements=False).iter():
        if element.tag == "img":
            assert element.get("src", "").startswith("/media/")
        assert element.tag not in {"script", "style"}
