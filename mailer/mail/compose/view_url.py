"""The address at which a letter can be read in a browser, as the letter itself names it."""

from __future__ import annotations

from mailer.domain.letters.archive_paths import VIEW_PAGE, letter_name
from mailer.domain.mailing_list import ArchiveMode
from mailer.domain.site import ListIdentity
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.merge_field import Placeholders


def view_url(
    list_identity: ListIdentity,
    campaign_id: int,
    language: str,
    resources: LetterResources,
    placeholders: Placeholders,
) -> str | None:
    """The page of this edition: the same for all readers if the archive is public, a personal link if it is for
    subscribers, with a placeholder for its token; None if the letter is not to be read on the web.

    It does not change when the text is corrected: repeats of a letter have the same octets.
    """
    mode = list_identity.mailing_list.archive
    is_default = not resources.languages or language == resources.languages[0]
    name = letter_name(campaign_id, language=None if is_default else language)
    if mode is ArchiveMode.PUBLIC:
        return f"{list_identity.archive_url}/{name}"
    if mode is ArchiveMode.SUBSCRIBERS:
        return f"{list_identity.site.url}/{VIEW_PAGE}/{placeholders.view_token}/{name}"
    return None
