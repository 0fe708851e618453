"""Words in any script reach their reader: in the subject, the HTML and the plain text, whatever the template."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compose_letter import compose_letter
from mailer.mail.compose.personalise import personalise
from tests.letters.sample_letters import READER, TEMPLATES, make_identity

SCRIPTS = {
    "Latin": "aäåčéfğıjñøőșßťûźÆþ",
    "Cyrillic": "абвґджзїйкљњўэя",
    "Greek": "αβγδθλξπσςφψώ",
    "Arabic": "ابتثجحخدذرزسشعغفقكلمنهويءآةىپچگ",
    "Hebrew": "אבגדהוזחטיכלמנסעפצקרשתםן",
    "Devanagari": "अआइईकखगघचजटडतदनपबमयरलवशसहािीुे",
    "Thai": "กขคงจชญดตถทนบปผพมยรลวสหอาิีุเแโ",
    "Hangul": "가나다라마바사아자차카타파하한글",
    "Han": "一中人大学水火木金土心手日月年春夏秋冬",
    "Kana": "あいうえおかきくけこさしすせそアイウエオカキクケコー",
}


def words_in(script: str) -> st.SearchStrategy[str]:
    """A few words; each holds a letter that takes no mark of Markdown or of a merge field."""
    word = st.text(SCRIPTS[script], min_size=1, max_size=9)
    return st.lists(word, min_size=1, max_size=6).map(" ".join)


def squeezed(text: str) -> str:
    """The text without white space: lines are broken anywhere in scripts that have no spaces."""
    return re.sub(r"\s", "", text)


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("script", SCRIPTS)
@given(data=st.data(), template=st.sampled_from(TEMPLATES.letter_names))
def test_words_survive_in_every_part(script: str, data: st.DataObject, template: str) -> None:
    subject, title, heading, body, reader = (data.draw(words_in(script)) for _ in range(5))
    keys = f"subject: '{subject}'\ntitle: '{title}'\ntemplate: {template}"
    text = f'---\n{keys}\n---\n## {heading}\n\n{body}, {{{{ name or "" }}}}.\n'
    composed = compose_letter(parse_campaign_file(text, "en"), make_identity("en"), TEMPLATES, "en", 42)
    letter = personalise(composed, replace(READER, name=reader))

    message = message_from_bytes(letter.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == subject
    plain, page = (message.get_body((one,)) for one in ("plain", "html"))
    assert plain is not None
    assert page is not None
    shown = html.unescape(re.sub(r"<[^<>]*>", " ", page.get_content()))
    for part in (squeezed(plain.get_content()), squeezed(shown)):
        for words in (heading, body, reader, *([title] if template != "plain" or title != subject else [])):
            assert squeezed(words) in part
