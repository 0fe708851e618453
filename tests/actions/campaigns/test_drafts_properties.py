"""Two editors, two windows each, in any order: no text that anybody gave is lost, and nobody overwrites unseen."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mailer.actions.campaigns.draft_view import DraftView
from mailer.actions.campaigns.drafts import load_draft, new_letter, save_draft
from mailer.actions.campaigns.versions import list_versions, load_version
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.draft import VERSION_SPAN_S
from mailer.errors import DraftChanged
from tests.support.app_helpers import Clock, make_app, open_list

WRITERS = [
    Actor(name=f"{name}@example.org", door=Door.CONSOLE, grants=(Grant(role=Role.EDITOR),), organiser_id=number)
    for number, name in enumerate(("emma", "samir"), 1)
]
WINDOWS = st.tuples(st.sampled_from(range(2)), st.sampled_from(range(2)))


@dataclass
class Window:
    """A page that one writer has open: the version it began from."""

    version: int = 1
    text: str = ""


@dataclass
class Kept:
    """What must not be lost: the last text of each writer in each span of five minutes, and each refused one."""

    last: dict[tuple[str, int], str] = field(default_factory=dict)
    refused: dict[tuple[str, int], str] = field(default_factory=dict)


class TwoEditors(RuleBasedStateMachine):
    """Writers load and save in two windows each, while time passes."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.mkdtemp()
        self.clock = Clock()
        database = shutil.copy(self.template, Path(self.folder) / "mailer.db")
        self.app: App = make_app(f"sqlite:///{database}", self.clock, 1)
        self.run(open_list(self.app))
        self.letter = self.run(new_letter(self.app, WRITERS[0], list_name="appeals"))
        self.windows = {(who, number): Window() for who in range(2) for number in range(2)}
        self.version, self.body, self.written = 1, "", 0
        self.kept = Kept()

    def run(self, work):  # type: ignore[no-untyped-def]
        """The result of a coroutine."""
        return self.loop.run_until_complete(work)

    @rule(window=WINDOWS)
    def load(self, window: tuple[int, int]) -> None:
        view: DraftView = self.run(load_draft(self.app, WRITERS[window[0]], self.letter))
        assert view.version == self.version
        self.windows[window] = Window(view.version, view.text)

    @rule(window=WINDOWS, same=st.booleans())
    def save(self, window: tuple[int, int], same: bool) -> None:
        page, who = self.windows[window], WRITERS[window[0]]
        self.written += 1
        body = self.body if same else f"text {self.written}"
        work = save_draft(self.app, who, self.letter, "en", version=page.version, fields={"body": body})
        span = int(self.clock.now.timestamp()) // VERSION_SPAN_S
        try:
            saved: DraftView = self.run(work)
        except DraftChanged as conflict:
            theirs = conflict.version
        else:
            theirs = None
        if theirs is not None:
            assert (theirs, page.version == self.version) == (self.version, False)
            # Until the draft is saved again, one text of each person stays aside: the last.
            self.kept.refused[who.name, self.version] = body
            return
        assert body == self.body or page.version == self.version
        if body != self.body:
            assert saved.version > self.version
            self.kept.last[who.name, span] = body
        page.version, self.version, self.body = saved.version, saved.version, body

    @rule(seconds=st.sampled_from([1, 60, 299, 300, 3600]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @invariant()
    def nothing_is_lost(self) -> None:
        versions = self.run(list_versions(self.app, WRITERS[0], self.letter, "en"))
        texts = [self.run(load_version(self.app, WRITERS[0], self.letter, "en", one.version)) for one in versions]
        bodies = {text.rpartition("---\n")[2] for text in texts}
        assert bodies >= set(self.kept.last.values()) | set(self.kept.refused.values())
        assert len({one.version for one in versions}) == len(versions)
        assert [one.version for one in versions if one.is_current] == [self.version]

    def teardown(self) -> None:
        self.run(self.app.close())
        self.loop.close()
        shutil.rmtree(self.folder)


@pytest.mark.parametrize("steps", [pytest.param(12), pytest.param(40, marks=pytest.mark.slow)])
def test_no_text_is_lost_whoever_saves_when(sqlite_template: Path, steps: int) -> None:
    TwoEditors.template = sqlite_template

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        TwoEditors, settings=settings(max_examples=steps, stateful_step_count=steps, deadline=None)
    )
