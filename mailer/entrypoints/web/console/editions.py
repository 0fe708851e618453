"""Editions of a campaign: adding, removing, choosing and approving them, and saying that one is up to date."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.approve import approve
from mailer.actions.campaigns.draft_view import DraftView
from mailer.actions.campaigns.drafts import load_draft
from mailer.actions.campaigns.edition_audience import choose_editions
from mailer.actions.campaigns.editions import add_edition, mark_up_to_date, remove_edition
from mailer.actions.campaigns.rest import rest
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import CampaignState
from mailer.domain.letters.edition_choice import choose_edition
from mailer.entrypoints.web.console.organiser_form import language_choices, read_text_field
from mailer.entrypoints.web.console.pages import (
    actor,
    campaign_of,
    edition_of,
    read_console_form,
    redirect,
    render_console,
)
from mailer.entrypoints.web.responses import get_app
from mailer.errors import CampaignFileRefused, WrongState

_EDITIONS = "/console/campaigns/{campaign_id:int}/editions"
_EDITION = "/console/campaigns/{campaign_id:int}/write/{language}"


async def show_editions(request: Request) -> Response:
    """How the editions stand, and what becomes of readers whose language has none."""
    return await _render(request)


async def post_edition(request: Request) -> Response:
    """Add an edition, which begins with the default edition's text, and show where it is written."""
    form, campaign_id = await read_console_form(request), campaign_of(request)
    language = read_text_field(form, "other_language") or read_text_field(form, "language")
    try:
        tag = await add_edition(get_app(request), actor(request), campaign_id, language)
    except (CampaignFileRefused, WrongState) as refusal:
        return await _render(request, add_refused=refusal, language=language)
    return redirect(request, f"/console/campaigns/{campaign_id}/write/{tag}", done="edition-added")


async def post_up_to_date(request: Request) -> Response:
    """Say that an edition is up to date with the default one."""
    await read_console_form(request)
    campaign_id, language = edition_of(request)
    await mark_up_to_date(get_app(request), actor(request), campaign_id, language)
    return redirect(request, f"/console/campaigns/{campaign_id}/write/{language}", done="saved")


async def post_approve(request: Request) -> Response:
    """Agree that one edition's text is sent as it was shown."""
    form, (campaign_id, language) = await read_console_form(request), edition_of(request)
    digest = str(form.get("digest", ""))
    try:
        await approve(get_app(request), actor(request), campaign_id, reviewed=digest, language=language)
    except (CampaignFileRefused, WrongState) as refusal:
        return await _render(request, refusal=refusal)
    return redirect(request, f"/console/campaigns/{campaign_id}/editions", done="edition-approved")


async def post_choose(request: Request) -> Response:
    """Let a draft be sent to the readers of the ticked editions alone."""
    form, campaign_id = await read_console_form(request), campaign_of(request)
    chosen = [str(one) for one in form.getlist("sent")]
    if not chosen:
        return await _render(request, refusal=WrongState("tick at least one edition"))
    try:
        await choose_editions(get_app(request), actor(request), campaign_id, chosen)
    except WrongState as refusal:
        return await _render(request, refusal=refusal)
    return redirect(request, f"/console/campaigns/{campaign_id}/review", done="saved")


async def post_rest(request: Request) -> Response:
    """Begin the campaign of the editions that were not sent, and show its review."""
    await read_console_form(request)
    number = await rest(get_app(request), actor(request), campaign_of(request))
    return redirect(request, f"/console/campaigns/{number}/review")


async def post_remove_edition(request: Request) -> Response:
    """Remove an edition with all its versions; the number of its readers must be typed."""
    form, app, who = await read_console_form(request), get_app(request), actor(request)
    campaign_id, language = edition_of(request)
    draft = await load_draft(app, who, campaign_id, language)
    if read_text_field(form, "typed") != str(draft.edition.readers):
        return await _render(request, not_typed=language)
    try:
        await remove_edition(app, who, campaign_id, language)
    except WrongState as refusal:
        return await _render(request, not_removed=(language, refusal))
    return redirect(request, f"/console/campaigns/{campaign_id}/editions", done="edition-removed")


async def _render(
    request: Request,
    *,
    add_refused: Exception | None = None,
    language: str = "",
    not_typed: str | None = None,
    not_removed: tuple[str, Exception] | None = None,
    refusal: Exception | None = None,
) -> Response:
    app, who, campaign_id = get_app(request), actor(request), campaign_of(request)
    draft = await load_draft(app, who, campaign_id)
    return render_console(
        request,
        "editions",
        status=409 if refusal else 422 if add_refused or not_typed or not_removed else 200,
        draft=draft,
        addable={
            language
            for language in draft.missing
            if who.may(Permission.TRANSLATE, draft.mailing_list.id, language)
            and draft.campaign.state in (CampaignState.DRAFT, CampaignState.SCHEDULED)
        },
        choices=language_choices(request),
        asked=language,
        add_problem=str(add_refused or ""),
        not_typed=not_typed,
        not_removed=not_removed,
        refusal=refusal,
        instead=_editions_without(draft),
    )


def _editions_without(draft: DraftView) -> dict[str, str]:
    """The edition that readers of each would get if it were removed."""
    languages, of_list = draft.languages, draft.mailing_list.language
    return {
        tag: choose_edition(tag, [one for one in languages if one != tag], of_list).language
        for tag in languages
        if len(languages) > 1
    }


ROUTES = (
    Route(_EDITIONS, show_editions),
    Route(_EDITIONS, post_edition, methods=["POST"]),
    Route(f"{_EDITIONS}/choose", post_choose, methods=["POST"]),
    Route("/console/campaigns/{campaign_id:int}/rest", post_rest, methods=["POST"]),
    Route(f"{_EDITION}/up-to-date", post_up_to_date, methods=["POST"]),
    Route(f"{_EDITION}/approve", post_approve, methods=["POST"]),
    Route(f"{_EDITION}/remove", post_remove_edition, methods=["POST"]),
)
