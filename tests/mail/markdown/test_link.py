"""Which links a letter may hold, and how they are written."""

from __future__ import annotations

import pytest

from mailer.errors import CampaignFileRefused
from mailer.mail.markdown.link import check_link


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://example.org/?a=1&b=2", "https://example.org/?a=1&b=2"),
        ("HTTPS://Bücher.example.org/ä", "https://xn--bcher-kva.example.org/%C3%A4"),
        ("mailto:ada@example.org?subject=Tea", "mailto:ada@example.org?subject=Tea"),
        ("tel:+49-30-12345", "tel:+49-30-12345"),
    ],
)
def test_good_links_are_sent_in_ascii(written, sent):
    assert check_link(written, 1) == sent


@pytest.mark.parametrize(
    "url",
    [
        "",
        "#top",
        "//example.org",
        "http://example.org",
        "ftp://example.org",
        "vbscript:x",
        "https://",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.0.0.0x1/",
        "https://[::1]/",
        "https://[::1/",
        "https://ada:secret@example.org/",
        "https://example.org\\@example.net/",
        "https://example.org:99999/",
        "https://exa mple.org/",
        "mailto:",
        "mailto:ada@192.0.2.1",
        "tel:ada",
    ],
)
def test_a_link_that_is_not_safe_to_send_is_refused(url):
    with pytest.raises(CampaignFileRefused) as refused:
        check_link(url, 9)

    assert refused.value.line == 9
