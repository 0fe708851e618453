"""Real parts for tests of letters: a site, its list, the templates, and two readers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from mailer.domain.keyring import Keyring
from mailer.domain.mailing_list import MailingList
from mailer.domain.site import ListIdentity, Site
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compose_letter import ComposedLetter, compose_letter
from mailer.mail.compose.personalise import Recipient
from mailer.mail.compose.templates import Templates
from mailer.mail.inbound.command_words import Vocabulary, load_vocabulary

ROOT = Path(__file__).parents[2]

# A busy machine is no fault of a letter.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def list_identity() -> ListIdentity:
    """Open Appeals, a list of an invented site."""
    keyring = Keyring(pepper=b"p" * 32, keys=((1, b"k" * 32),))
    site = Site(
        name="Open Letters",
        domain="lists.example.org",
        url="https://lists.example.org",
        owner="ada@example.org",
        keyring=keyring,
    )
    mailing_list = MailingList(
        id=1, name="appeals", title="Open Appeals", description="", language="en", owner="ada@example.org"
    )
    return ListIdentity(site=site, mailing_list=mailing_list)


@pytest.fixture(scope="session")
def templates() -> Templates:
    """The service's own templates and catalogues."""
    return Templates(ROOT / "templates", ROOT / "mailer" / "locale")


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """The words people write to the service, from its own catalogues."""
    return load_vocabulary(ROOT / "mailer" / "locale")


@pytest.fixture
def rosa() -> Recipient:
    """A recipient with a name and a city."""
    return Recipient(
        delivery_id=7,
        subscription_id=3,
        address="rosa@example.org",
        name="Rosa",
        attributes={"city": "Köln"},
        dated_at=datetime(2026, 12, 1, 8, 0, tzinfo=UTC),
    )


@pytest.fixture
def composed(list_identity: ListIdentity, templates: Templates) -> Callable[..., ComposedLetter]:
    """Compose a campaign file's text as campaign 42 for readers of English, by default."""

    def of(text: str, *, list_identity: ListIdentity = list_identity, language: str = "en") -> ComposedLetter:
        return compose_letter(parse_campaign_file(text, "en"), list_identity, templates, language, campaign_id=42)

    return of
