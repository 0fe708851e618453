"""Organisers' own templates: those that there are, the form that hands one in, its versions and a sample letter."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.templates.add_template import add_template
from mailer.actions.templates.check_template import check_template
from mailer.actions.templates.remove_template import remove_template
from mailer.actions.templates.show_templates import TemplateVersions, list_templates, show_sample, show_template
from mailer.domain.accounts.role import Permission
from mailer.domain.letters.letter_template import LONGEST_NAME
from mailer.entrypoints.web.console.organiser_form import language_name
from mailer.entrypoints.web.console.pages import (
    actor,
    check_form_token,
    page_language,
    read_console_form,
    redirect,
    render_console,
)
from mailer.entrypoints.web.console.preview import answer_with_html, answer_with_refusal
from mailer.entrypoints.web.responses import get_app
from mailer.errors import CampaignFileRefused, TemplateRefused
from mailer.mail.compose.problem import Problem
from mailer.mail.templates.example_templates import read_example
from mailer.mail.templates.template_checks import template_problem

_PATH = "/console/settings/templates"


async def show_templates(request: Request) -> Response:
    """The house's templates by name, and the organisers' own."""
    app, who = get_app(request), actor(request)
    who.require(Permission.MANAGE_SITE)
    own = await list_templates(app, who)
    return render_console(request, "templates", house=app.templates.letter_names, own=own)


async def show_new(request: Request) -> Response:
    """The form for a new template, with one to begin with."""
    actor(request).require(Permission.MANAGE_SITE)
    return _render_form(request, source=read_example(is_mjml="mjml" in request.query_params))


async def post_new(request: Request) -> Response:
    """Keep a new template, and show it."""
    form = await _read_form(request)
    return await _keep(request, form, str(form.get("name", "")).strip(), found=None)


async def show_one(request: Request) -> Response:
    """A template, to be changed; query: `version`, the id of one of an earlier day."""
    found = await show_template(get_app(request), actor(request), request.path_params["template"], _version(request))
    return _render_form(request, source=found.template.source, found=found)


async def post_one(request: Request) -> Response:
    """Keep a new version of a template."""
    form = await _read_form(request)
    found = await show_template(get_app(request), actor(request), request.path_params["template"])
    return await _keep(request, form, found.template.name, found=found)


async def post_remove(request: Request) -> Response:
    """Remove a template."""
    await read_console_form(request)
    await remove_template(get_app(request), actor(request), request.path_params["template"])
    return redirect(request, _PATH, done="template-removed")


async def show_sample_letter(request: Request) -> Response:
    """A sample letter with a template that is kept, for the frame; query: `version`, `language`, `dark`."""
    asked = request.query_params
    name, version = request.path_params["template"], _version(request)
    try:
        html = await show_sample(get_app(request), actor(request), name, version, asked.get("language"))
    except CampaignFileRefused as refusal:
        return answer_with_refusal(request, 422, str(refusal))
    return answer_with_html(html, is_dark=bool(asked.get("dark")))


async def post_try(request: Request) -> Response:
    """A sample letter with the template that the form holds, for the frame; nothing is kept."""
    form, app, who = await _read_form(request), get_app(request), actor(request)
    who.require(Permission.MANAGE_SITE)
    source, problem = await _read_source(form)
    if problem is not None:
        return answer_with_refusal(request, 422, problem.message)
    trial = await check_template(app, who, source, show=app.language(str(form.get("language", ""))))
    if trial.shown is None:
        return answer_with_refusal(request, 422, "; ".join(_in_words(trial.problems)))
    return answer_with_html(trial.shown, is_dark=bool(form.get("dark")))


async def _keep(request: Request, form: FormData, name: str, found: TemplateVersions | None) -> Response:
    app, who = get_app(request), actor(request)
    who.require(Permission.MANAGE_SITE)
    source, problem = await _read_source(form)
    if problem is not None:
        return _render_form(request, name=name, source=source, found=found, problems=[problem])
    try:
        added, _ = await add_template(app, who, name, source)
    except TemplateRefused as refusal:
        # The refusal names the first mistake; whoever corrects the template wants to see all.
        problems = (await check_template(app, who, source)).errors
        given = problems or (template_problem(refusal.reason, refusal.line),)
        return _render_form(request, name=name, source=source, found=found, problems=given)
    return redirect(request, f"{_PATH}/{added.name}", done="template-kept")


async def _read_form(request: Request) -> FormData:
    """The fields of a posted form and one file, of a template's size. 403 without the form token of this session."""
    form = await request.form(max_files=1, max_fields=20)
    check_form_token(request, str(form.get("form_token", "")))
    return form


async def _read_source(form: FormData) -> tuple[str, Problem | None]:
    """(template, why it cannot be read): the chosen file's text, or else what was typed."""
    typed, file = str(form.get("source", "")).replace("\r\n", "\n"), form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return typed, None
    try:
        return (await file.read()).decode("utf-8-sig").replace("\r\n", "\n"), None
    except UnicodeDecodeError:
        return typed, template_problem("the file is not a text in UTF-8", None)


def _version(request: Request) -> int | None:
    text = request.query_params.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _in_words(problems: Sequence[Problem]) -> list[str]:
    return [f"line {one.line}: {one.message}" if one.line else one.message for one in problems]


def _render_form(
    request: Request,
    *,
    source: str,
    name: str = "",
    found: TemplateVersions | None = None,
    problems: Sequence[Problem] = (),
) -> Response:
    app = get_app(request)
    return render_console(
        request,
        "template",
        status=422 if problems else 200,
        found=found,
        given_name=name,
        source=source,
        problems=problems,
        languages=[(tag, language_name(tag)) for tag in app.templates.languages],
        shown_language=app.language(page_language(request)),
        longest_name=LONGEST_NAME,
    )


ROUTES = (
    Route(_PATH, show_templates),
    # No name of a template begins with a line.
    Route(f"{_PATH}/_new", show_new),
    Route(f"{_PATH}/_new", post_new, methods=["POST"]),
    Route(f"{_PATH}/_try", post_try, methods=["POST"]),
    Route(f"{_PATH}/{{template}}", show_one),
    Route(f"{_PATH}/{{template}}", post_one, methods=["POST"]),
    Route(f"{_PATH}/{{template}}/remove", post_remove, methods=["POST"]),
    Route(f"{_PATH}/{{template}}/sample", show_sample_letter),
)
