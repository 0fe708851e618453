"""What a text is refused for when it is handed in, though letters of it could be written."""

from __future__ import annotations

import pytest

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.writing_faults import refuse_writing_faults

START = "---\nsubject: Come\n---\n"


@pytest.mark.parametrize(
    "body",
    [
        "![](https://example.org/a.png)",
        "{% if town %}\nHi\n{% endif %}\n![](https://example.org/a.png)".replace("\n!", "\n!"),
        "::: callout\n![ ](https://example.org/a.png)\n:::",
        "- [![](https://example.org/a.png)](https://example.org)",
    ],
)
def test_a_picture_without_description_is_refused_with_its_line(body: str):
    with pytest.raises(CampaignFileRefused, match="without description") as refused:
        refuse_writing_faults(START + body)

    assert refused.value.line == 3 + next(at for at, line in enumerate(body.split("\n"), 1) if "![" in line)


@pytest.mark.parametrize(
    "body",
    [
        "![apples](https://example.org/a.png)",
        "![-](https://example.org/a.png)",
        '![{{ town or "town" }}](https://example.org/a.png)',
        "![{% if town %}{{ town }}{% else %}towns{% endif %}](https://example.org/{{ town|lower }}.png)",
        "`![](https://example.org/a.png)`",
    ],
)
def test_a_picture_with_any_description_is_not(body: str):
    refuse_writing_faults(START + body)


def test_letters_of_an_older_text_can_still_be_written():
    parse_campaign_file(START + "![](https://example.org/a.png)", "en")
