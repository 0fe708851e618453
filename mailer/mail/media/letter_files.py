"""The files that go along in a letter: inline pictures, attachments, and its event for the reader's calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.domain.letters.media import MOST_ATTACHED_OCTETS, PATH, MediaFile, picture_size
from mailer.domain.site import ListIdentity
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import CampaignFile
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.merge_field import hide_placeholders
from mailer.mail.media.event_calendar import event_calendar

_NAMED = re.compile(rf"\]\(<?({PATH.pattern})")


@dataclass(frozen=True, slots=True)
class LetterFiles:
    """What a letter carries besides its texts."""

    html: str
    """With `cid:` links in place of those to the pictures (RFC 2392)."""
    pictures: tuple[MediaFile, ...]
    """Those that the HTML shows from the letter itself; empty where they are hosted."""
    attachments: tuple[MediaFile, ...]


def content_id(picture: MediaFile, domain: str) -> str:
    """The Content-ID of a picture, without its brackets: the same in every letter."""
    return f"{picture.path.removeprefix('/media/').replace('/', '.')}@{domain}"


def take_files(
    marked: CampaignFile, html: str, list_identity: ListIdentity, campaign_id: int, resources: LetterResources
) -> LetterFiles:
    """The files of a campaign file whose HTML is `html`.

    Raises CampaignFileRefused, with the line, for one that there is not, for one that stands as a picture and is none,
    and where all together have more than MOST_ATTACHED_OCTETS.
    """
    _refuse_unusable(marked, resources)
    pictures: dict[str, MediaFile] = {}
    if marked.pictures_inline:
        html = _show_inline(html, list_identity, resources, pictures)
    attachments = [resources.media[path] for path in marked.attachments if path in resources.media]
    if marked.calendar and marked.event:
        uid = f"campaign-{campaign_id}@{list_identity.site.domain}"
        attachments.append(event_calendar(marked.event, uid, _fixed_url(marked)))
    size = sum(one.size for one in (*pictures.values(), *attachments))
    if size > MOST_ATTACHED_OCTETS:
        raise CampaignFileRefused(
            f"pictures and attachments in the letter have {size} octets; the most is {MOST_ATTACHED_OCTETS}, for many"
            " mail servers refuse larger letters: link to some of them instead",
            marked.lines.get("attachments") or marked.lines.get("pictures"),
        )
    return LetterFiles(html, tuple(pictures.values()), tuple(attachments))


def _show_inline(
    html: str, list_identity: ListIdentity, resources: LetterResources, found: dict[str, MediaFile]
) -> str:
    """The HTML with `cid:` links to the pictures that are at hand; these are added to `found` by path."""
    site = list_identity.site

    def to_content_id(match: re.Match[str]) -> str:
        picture = resources.media.get(match[1])
        if picture is None or not picture.is_picture:
            return match[0]
        found[picture.path] = picture
        return f'src="cid:{content_id(picture, site.domain)}"'

    return re.sub(rf'src="{re.escape(site.url)}({PATH.pattern})"', to_content_id, html)


def _fixed_url(marked: CampaignFile) -> str | None:
    """The link of the call to action, where it is one page for all readers, as an entry of a calendar is."""
    url = marked.action.url if marked.action else ""
    return url if url.startswith("https://") and hide_placeholders(url) == url else None


def _refuse_unusable(marked: CampaignFile, resources: LetterResources) -> None:
    for match in _NAMED.finditer(marked.body):
        if picture_size(match[1]) is None and _is_shown(marked.body, match.start()):
            line = marked.body_line + marked.body.count("\n", 0, match.start())
            raise CampaignFileRefused(f"{match[1]} is no picture; link to it without the !, or attach it", line)
    for path in sorted(resources.missing):
        if path in marked.attachments:
            raise CampaignFileRefused(_missing_words(path), marked.lines.get("attachments"))
        if (place := marked.body.find(path)) >= 0:
            raise CampaignFileRefused(_missing_words(path), marked.body_line + marked.body.count("\n", 0, place))


def _is_shown(body: str, end: int) -> bool:
    """Whether the bracket that closes at `end` was opened on its line as that of a picture.

    Looked for backwards: a pattern that begins at each `![` takes a minute for a text that is full of them.
    """
    opened = body.rfind("[", body.rfind("\n", 0, end) + 1, end)
    return opened > 0 and body[opened - 1] == "!"


def _missing_words(path: str) -> str:
    return f"there is no file {path} here: add it again (mailer media add, or on the page) and name its new path"
