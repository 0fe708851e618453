"""What a browser calls itself, in words."""

import pytest

from mailer.domain.accounts.device import describe_device


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"
            ),
            "Edge on Windows",
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                "Version/18.1 Mobile/15E148 Safari/604.1"
            ),
            "Safari on iPhone",
        ),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/142.0.0.0 Safari/537.36"
            ),
            "Chrome on macOS",
        ),
        ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox on Android"),
        ("w3m/0.5.3+git20230121", "w3m"),
        ("Mozilla/5.0 (X11; Linux x86_64) Strange/1.0", "an unknown browser on Linux"),
        ("", "an unknown browser"),
        (None, "an unknown browser"),
        ("<script>alert(1)</script>\r\n" * 1000, "an unknown browser"),
    ],
)
def test_a_user_agent_becomes_a_few_words(user_agent: str | None, words: str) -> None:
    assert describe_device(user_agent) == words
