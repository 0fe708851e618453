"""Addresses, links and ids of the site and of a list."""

from __future__ import annotations

from mailer.domain.keyring import Keyring
from mailer.domain.mailing_list import MailingList
from mailer.domain.site import ListIdentity, Site
from mailer.domain.token import Purpose, read_token

KEYRING = Keyring(b"p" * 32, ((1, b"k" * 32),))
SITE = Site(
    name="Letters",
    domain="lists.example.org",
    url="https://www.example.org/lists",
    owner="ada@example.org",
    keyring=KEYRING,
)
LIST = ListIdentity(
    site=SITE,
    mailing_list=MailingList(
        id=1, name="appeals", title="Appeals", description="", language="en", owner="ada@example.org"
    ),
)


def test_a_return_path_holds_a_token_that_names_the_delivery_and_has_36_octets():
    local, _, domain = SITE.return_path(7).partition("@")

    assert domain == "lists.example.org"
    assert len(local) == 36
    assert read_token(KEYRING, Purpose.RETURN_PATH, local.partition("+")[2]) == 7


def test_a_feedback_id_names_the_delivery_but_is_no_token_of_a_return_path():
    assert read_token(KEYRING, Purpose.COMPLAINT, SITE.feedback_id(7)) == 7
    assert SITE.feedback_id(7) != SITE.bounce_token(7)


def test_the_message_id_of_a_delivery_is_always_the_same():
    assert SITE.message_id(7) == SITE.message_id(7) != SITE.message_id(8)
    assert SITE.message_id(7) == f"<{SITE.message_id_local_part(7)}@lists.example.org>"


def test_links_begin_with_the_sites_url_and_its_path():
    assert SITE.path == "/lists"
    assert SITE.link("leave", Purpose.LEAVE, 3).startswith("https://www.example.org/lists/leave/")
    assert LIST.join_url == "https://www.example.org/lists/join/appeals"


def test_the_addresses_of_a_list_are_its_name_with_a_command_and_a_token():
    assert LIST.address() == "appeals@lists.example.org"
    assert LIST.address("help") == "appeals-help@lists.example.org"
    assert LIST.address("leave", "TOKEN") == "appeals-leave+TOKEN@lists.example.org"
    assert LIST.list_id == "appeals.lists.example.org"
