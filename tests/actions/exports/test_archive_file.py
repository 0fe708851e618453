"""archive.mbox of an export: all letters of the archive, nobody's links, and an import that reads it back."""

from __future__ import annotations

import mailbox
from datetime import UTC, datetime
from pathlib import Path

from mailer.actions.archive.import_letters import import_letters
from mailer.actions.exports.export_all import export_all
from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.domain.letters.earlier_letter import EarlierLetter
from mailer.importers.sources.open_source import open_source
from mailer.store.letters import earlier_letters
from tests.actions.exports.test_export_all import fill
from tests.support.app_helpers import ADMIN, ROSA, open_list
from tests.support.fake_relay import FakeRelay

_EARLIER = EarlierLetter(
    message_id="seeds@old.example",
    sent_at=datetime(2019, 3, 4, 5, 6, 7, tzinfo=UTC),
    subject="Säen, und was dann?",
    author="Ada, Okafor",
    text="Dear all,\n\nFrom Monday on we sow 2019.\n>From here too.",
)


async def test_an_archive_goes_out_whole_and_comes_back_the_same(app: App, relay: FakeRelay, tmp_path: Path) -> None:
    await fill(app)
    await set_list(app, ADMIN, "appeals", archive="public")
    await app.database.write(earlier_letters.add_letters, 1, [_EARLIER])

    await export_all(app, ADMIN, list_name="appeals", folder=tmp_path / "out")

    file = tmp_path / "out/archive.mbox"
    earlier, own = mailbox.mbox(file)
    assert [one["List-Id"] for one in (earlier, own)] == ["<appeals.lists.example.org>"] * 2
    assert [part.get_content_type() for part in own.walk()][1:] == ["text/plain", "text/html"]
    assert ROSA.encode() not in file.read_bytes()
    other = await open_list(app, "walks")
    with open_source(file) as source:
        done = await import_letters(app, ADMIN, list_name="walks", files=source.files)
    assert (done.letters, done.added, done.left_behind) == (2, 2, [])
    first = (await app.database.read(earlier_letters.list_letters, other.id, None, 9))[-1]
    read = await app.database.read(earlier_letters.find_letter, other.id, letter_id=first.id)
    assert read is not None
    for name in ("message_id", "sent_at", "subject", "author", "text"):
        assert getattr(read, name) == getattr(_EARLIER, name)


async def test_a_list_without_an_archive_has_no_such_file(app: App, relay: FakeRelay, tmp_path: Path) -> None:
    await fill(app)
    await set_list(app, ADMIN, "appeals", archive="off")

    await export_all(app, ADMIN, list_name="appeals", folder=tmp_path / "out")

    assert not (tmp_path / "out/archive.mbox").exists()
