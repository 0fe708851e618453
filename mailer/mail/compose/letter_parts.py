"""The text part and the HTML part of a campaign's letter, rendered from the templates."""

from __future__ import annotations

from functools import partial
from typing import Any

from css_inline import CSSInliner

from mailer.domain.language import text_direction
from mailer.domain.letters.letter_colors import derive_colors
from mailer.domain.letters.media import picture_size
from mailer.domain.site import ListIdentity
from mailer.mail.compose.campaign_file import CampaignFile
from mailer.mail.compose.campaign_file_fields import DEFAULT_TEMPLATE
from mailer.mail.compose.event_dates import format_event_date
from mailer.mail.compose.letter_header import leave_url
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.merge_field import Placeholders
from mailer.mail.compose.templates import Templates
from mailer.mail.compose.view_url import view_url
from mailer.mail.markdown.body_items import split_items
from mailer.mail.markdown.link import check_link
from mailer.mail.markdown.markdown import parse_markdown, render_html
from mailer.mail.markdown.plain_text import render_plain_text, underline, wrap
from mailer.mail.templates.render_template import render_organiser_template
from mailer.mail.webmention.citation import cite

_INLINER = CSSInliner(load_remote_stylesheets=False)
_KEEPING_INLINER = CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
"""For organisers' templates, in whose style sheets anything may stand that cannot be written into tags."""
_TEXT_FUNCTIONS = {"wrap": wrap, "underline": underline}
MOST_LOGO_WIDTH, MOST_LOGO_HEIGHT = 240, 72


def html_template(name: str) -> str:
    """The template of a letter's HTML part, as `Templates.render` takes it, by the name that a campaign file gives."""
    return f"letters/{name}/letter.html"


def text_template(name: str) -> str:
    """The template of a letter's text part."""
    return f"letters/{name}/letter.txt"


def render_parts(
    campaign_file: CampaignFile,
    list_identity: ListIdentity,
    templates: Templates,
    language: str,
    placeholders: Placeholders,
    resources: LetterResources,
    campaign_id: int,
) -> tuple[str, str]:
    """(text, HTML) of the letter, with placeholders for merge fields and for the leave token.

    The templates' own words are in `language`. Raises CampaignFileRefused for a link that is not allowed.
    The text part is always the house's.
    """
    tokens, name = parse_markdown(campaign_file.body, campaign_file.body_line), campaign_file.template
    values = _template_values(campaign_file, list_identity, language, placeholders) | {
        "view_url": view_url(list_identity, campaign_id, campaign_file.language, resources, placeholders),
        "answers": cite(campaign_file.answers, list_identity.site.url, campaign_file.language, resources.cited_titles),
    }
    media_url = list_identity.site.media_url
    body = render_plain_text(tokens, media_url)
    own = resources.templates.get(name)
    text_name = text_template(DEFAULT_TEMPLATE if own else name)
    text = templates.render(text_name, language, **values, body=body, **_TEXT_FUNCTIONS)
    write_html = partial(render_html, media_url=media_url)
    values["body"] = write_html(tokens)
    if own is not None:
        values |= {"language": language, "dir": text_direction(language), "site_url": list_identity.site.url}
        return text, _KEEPING_INLINER.inline(render_organiser_template(own, values, templates))
    itemized = split_items(tokens, write_html)
    parts = {"intro": itemized.intro, "items": itemized.items, "outro": itemized.outro}
    return text, _INLINER.inline(templates.render(html_template(name), language, **values, **parts))


def _template_values(
    campaign_file: CampaignFile, list_identity: ListIdentity, language: str, placeholders: Placeholders
) -> dict[str, Any]:
    """The values that the text template and the HTML template share, by name."""
    action, mailing_list = campaign_file.action, list_identity.mailing_list
    return {
        "subject": campaign_file.subject,
        "title": campaign_file.title,
        "lead": campaign_file.lead,
        "preheader": campaign_file.preheader,
        "closing": campaign_file.closing,
        "event": campaign_file.event,
        "event_date": format_event_date(campaign_file.event, language) if campaign_file.event else None,
        "action_label": action.label if action else None,
        "action_url": check_link(action.url, campaign_file.lines.get("url", 1)) if action else None,
        "source": campaign_file.source,
        "tags": campaign_file.tags,
        "letter_language": campaign_file.language,
        "letter_dir": text_direction(campaign_file.language),
        "list_title": mailing_list.title,
        "list_language": mailing_list.language,
        "logo": _fit_logo(list_identity),
        "colors": derive_colors(mailing_list.accent_color),
        "postal_address": mailing_list.postal_address or "",
        "reason": mailing_list.reason,
        "site_name": list_identity.site.name,
        "list_address": list_identity.address(),
        "leave_url": leave_url(list_identity.site, placeholders.leave_token),
    }


def _fit_logo(list_identity: ListIdentity) -> dict[str, Any] | None:
    """The url, width and height of the list's logo, at most MOST_LOGO_WIDTH by MOST_LOGO_HEIGHT pixels."""
    path = list_identity.mailing_list.logo
    size = picture_size(path) if path else None
    if size is None:
        return None
    scale = min(1, MOST_LOGO_WIDTH / size[0], MOST_LOGO_HEIGHT / size[1])
    width, height = (max(1, round(scale * side)) for side in size)
    return {"url": f"{list_identity.site.url}{path}", "width": width, "height": height}
