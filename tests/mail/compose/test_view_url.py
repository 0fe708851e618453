"""The address at which a letter can be read in a browser."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailer.domain.mailing_list import ArchiveMode
from mailer.domain.site import ListIdentity
from mailer.domain.token import Purpose, read_token
from mailer.errors import TokenRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import compile_letter
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.personalise import Recipient
from mailer.mail.compose.templates import Templates
from mailer.mail.message.letter import decode_part

TEXT = "---\nsubject: '{{ name or \"Friend\" }}, come'\n---\nSeeds.\n"
EDITIONS = LetterResources(languages=("en", "tr"))


@pytest.fixture
def bare(templates: Templates, tmp_path: Path) -> Templates:
    """Templates that show the address and nothing else."""
    folder = tmp_path / "letters" / "appeal"
    folder.mkdir(parents=True)
    for name in ("letter.txt.j2", "letter.html.j2"):
        (folder / name).write_text('{% if view_url %}<a href="{{ view_url }}">web</a>{% endif %} .')
    return Templates(tmp_path, templates.locale_directory)


def _urls(
    list_identity: ListIdentity, bare: Templates, rosa: Recipient, mode: ArchiveMode | None, language: str = "en"
) -> set[str]:
    """What both parts of Rosa's letter name."""
    own = replace(list_identity, mailing_list=replace(list_identity.mailing_list, archive=mode))
    letter = compile_letter(parse_campaign_file(TEXT, language), own, bare, "en", 42, EDITIONS).write(rosa)
    texts = (decode_part(letter, "text"), decode_part(letter, "html"))
    return {text.split('"')[1] if '"' in text else "" for text in texts}


@pytest.mark.parametrize("mode", [None, ArchiveMode.OFF])
def test_a_letter_that_is_not_on_the_web_names_no_address(list_identity, bare, rosa, mode):
    assert _urls(list_identity, bare, rosa, mode) == {""}


def test_a_public_letter_names_the_same_address_for_everybody_which_no_correction_changes(list_identity, bare, rosa):
    emma = replace(rosa, subscription_id=4, name="Emma")

    ours = _urls(list_identity, bare, rosa, ArchiveMode.PUBLIC)

    assert ours == {"https://lists.example.org/archive/appeals/42-letter"}
    assert _urls(list_identity, bare, emma, ArchiveMode.PUBLIC) == ours


@pytest.mark.parametrize("mode", [None, *ArchiveMode])
def test_only_a_public_archive_is_named_in_the_header(list_identity, templates, rosa, mode):
    own = replace(list_identity, mailing_list=replace(list_identity.mailing_list, archive=mode))
    letter = compile_letter(parse_campaign_file(TEXT, "en"), own, templates, "en", 42).write(rosa)
    field = message_from_bytes(letter.content, policy=policy.default)["List-Archive"]

    assert field == ("<https://lists.example.org/archive/appeals>" if mode is ArchiveMode.PUBLIC else None)


def test_an_edition_names_its_own_page(list_identity, bare, rosa):
    assert _urls(list_identity, bare, rosa, ArchiveMode.PUBLIC, "tr") == {
        "https://lists.example.org/archive/appeals/42-letter/tr"
    }


def test_a_letter_for_subscribers_names_a_personal_address_that_can_only_show(list_identity, bare, rosa):
    (url,) = _urls(list_identity, bare, rosa, ArchiveMode.SUBSCRIBERS, "tr")
    token = url.split("/")[4]

    assert url == f"https://lists.example.org/view/{token}/42-letter/tr"
    keyring = list_identity.site.keyring
    assert read_token(keyring, Purpose.VIEW, token) == rosa.subscription_id
    with pytest.raises(TokenRefused):
        read_token(keyring, Purpose.LEAVE, token)
