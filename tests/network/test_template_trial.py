"""A template is tried in a process of its own: what is good passes, and whatever is not is refused within seconds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailer.errors import WorkerFailed
from mailer.mail.compose.templates import Templates
from mailer.mail.templates.example_templates import read_example
from mailer.mail.templates.template_trial import TemplateTrial, TrialRequest
from mailer.network.template_trial import run_template_trial
from tests.support.own_templates import OWN_HTML, OWN_MJML

ROOT = Path(__file__).parents[2]
TEMPLATES = Templates(ROOT / "templates", ROOT / "mailer" / "locale")


async def tried(source: str, show: str | None = None, longest_wait_s: float = 60) -> TemplateTrial:
    return await run_template_trial(TrialRequest(source=source, templates=TEMPLATES, show=show), longest_wait_s)


@pytest.mark.parametrize("source", [OWN_HTML, OWN_MJML, read_example(), read_example(is_mjml=True)])
async def test_a_good_template_passes_and_shows_a_letter_in_any_language(source: str) -> None:
    trial = await tried(source, show="ar")

    assert trial.problems == ()
    assert "{{ body }}" in trial.html
    assert trial.shown is not None
    assert '<html lang="ar" dir="rtl"' in trial.shown
    assert "إلغاء الاشتراك" in trial.shown


LACKING = {
    "{{ body }}": ("", "the body does not show"),
    "<p><a href": ('<p style="display:none"><a href', "there is no way out"),
    "{{ words.leave }}": ("", "there is no way out"),
    "{{ line }}": ("", "postal address does not show"),
    "{{ subject }}": ("", "the title is empty"),
    'lang="{{ letter_language }}"': ('lang="en"', 'with a letter in language ar: <html> says lang="en"'),
    'dir="{{ letter_dir }}"': ('dir="ltr"', "<html> says dir"),
}


@pytest.mark.parametrize(("part", "instead"), LACKING.items())
@pytest.mark.slow
async def test_a_letter_that_lacks_what_every_letter_must_have_is_refused(part: str, instead: tuple[str, str]) -> None:
    trial = await tried(OWN_HTML.replace(part, instead[0]))

    assert trial.html == ""
    assert instead[1] in trial.problems[0].message


async def test_a_template_that_makes_letters_too_large_is_refused() -> None:
    trial = await tried(OWN_HTML.replace("{{ body }}", "{{ body }}" * 4 + "<p>words</p>" * 4000))

    assert "the letter has" in trial.problems[0].message


async def test_words_that_are_hard_to_read_are_a_warning() -> None:
    trial = await tried(OWN_HTML.replace("color:{{ colors.link }}", "color:#eee"))

    assert trial.html
    assert "“Say that you come” is #eeeeee on #" in trial.problems[0].message
    assert trial.errors == ()


SLOW_STYLES = ("b " * 40 + "i{color:red}\n") * 210
DEEP = "<b>" * 60 + "<i>" * 2500 + "x" + "</i>" * 2500 + "</b>" * 60
"""Whoever asks whether each of these is in forty of those has work for a long time."""


async def test_what_takes_long_is_given_up() -> None:
    slow = OWN_HTML.replace("<style>", f"<style>{SLOW_STYLES}").replace("{{ body }}", "{{ body }}" + DEEP)

    trial = await tried(slow, longest_wait_s=1)

    assert [one.message for one in trial.problems] == ["it does not come to an end: trying it was given up"]


async def test_what_takes_more_than_its_share_of_the_processor_is_ended() -> None:
    slow = OWN_HTML.replace("<style>", f"<style>{SLOW_STYLES}").replace("{{ body }}", "{{ body }}" + DEEP)

    trial = await run_template_trial(TrialRequest(source=slow, templates=TEMPLATES), 300, cpu_seconds=2)

    assert [one.message for one in trial.problems] == [
        "trying it takes more time or memory than a letter may: make it simpler"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "(" * 60_000,
        "{{" + "(" * 29_000,
        "{% if lead %}" * 4_000,
        "{#" * 30_000,
        "<" * 60_000,
        "<div>" * 12_000,
        "<mjml>" + "<mj-raw>" * 7_000,
        "<mjml>" + "{{ lead }}" * 5_000,
        "<!--" * 15_000,
        "<a b='" * 10_000,
        "<style>" + "(" * 50_000,
        "&" * 60_000,
        "\x00" * 1_000,
        "\ud800",
    ],
    ids=lambda source: repr(source[:16]),
)
@pytest.mark.slow
async def test_whatever_is_handed_in_is_answered(source: str) -> None:
    trial = await tried(source)

    assert trial.html == ""
    assert trial.errors


async def test_a_process_that_breaks_is_our_fault_and_gets_none_of_our_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program in the place of Python writes down what it is given."""
    spy, seen = tmp_path / "python", tmp_path / "seen"
    spy.write_text(f"#!/bin/sh\nenv > {seen}\necho no such module >&2\nexit 3\n")
    spy.chmod(0o755)
    monkeypatch.setenv("MAILER_DATABASE__URL", "postgresql://secret")
    monkeypatch.setattr("sys.executable", str(spy))

    with pytest.raises(WorkerFailed, match="could not be tried: no such module"):
        await tried(OWN_HTML)

    assert "secret" not in seen.read_text()
    assert f"PATH={os.environ['PATH']}" in seen.read_text()
