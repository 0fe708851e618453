"""A backup holds everything as of one instant, is complete or refused, and can be restored on either database."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text, update

from mailer.domain.accounts.organiser import SITE_OWNER
from mailer.domain.accounts.sign_in import SignInWay
from mailer.domain.address import parse_address
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.errors import AlreadyExists, BackupFailed, BackupRefused, DatabaseOwned, MailerError, SchemaUnknown
from mailer.store import mailing_lists, suppressions
from mailer.store.accounts import organiser_sessions, organisers, sign_ins
from mailer.store.backup.archive import Manifest, member_name, new_archive, open_archive
from mailer.store.backup.reflected_tables import column_kinds, own_tables
from mailer.store.backup.restore_backup import restore_backup
from mailer.store.backup.write_backup import ServiceFiles, back_up, back_up_before_migration
from mailer.store.counts import list_days
from mailer.store.database import open_engine
from mailer.store.migration import migrate_database, read_known_revision
from mailer.store.people_tables import incoming, subscription
from mailer.store.queue.worker_presence import WorkerPresence
from mailer.store.queue.workers import own_database
from tests.support.app_helpers import ROOT
from tests.support.released_databases import ALL_RELEASED, empty_postgresql, restore_released

MIGRATIONS = ROOT / "migrations"
NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)
LARGE = b"From: rosa@example.org\r\n\r\n" + b"seeds\r\n" * 20
KINDS = ("sqlite", "postgresql")
Do = Callable[[str, Callable[[Connection], Any]], Any]


def do(url: str, work: Callable[[Connection], Any]) -> Any:
    """Run a transaction of its own."""
    engine = open_engine(url)
    with engine.begin() as tx:
        found = work(tx)
    engine.dispose()
    return found


def schema_of(url: str) -> str | None:
    engine = open_engine(url)
    try:
        return read_known_revision(engine, MIGRATIONS)
    finally:
        engine.dispose()


@pytest.fixture
def here(tmp_path: Path) -> ServiceFiles:
    """Where the service that is backed up has its things."""
    return service_files(tmp_path / "here", b"its secret")


@pytest.fixture
def there(tmp_path: Path) -> ServiceFiles:
    """Another machine: no secret yet."""
    return service_files(tmp_path / "there", None)


def service_files(folder: Path, secret: bytes | None) -> ServiceFiles:
    folder.mkdir()
    if secret is not None:
        (folder / "secret").write_bytes(secret)
    return ServiceFiles(spool=folder / "spool", secret_file=folder / "secret")


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes an empty database of a kind."""
    with ExitStack() as stack:

        def make(kind: str) -> str:
            return (
                f"sqlite:///{tmp_path}/empty.db" if kind == "sqlite" else stack.enter_context(empty_postgresql(request))
            )

        yield make


def a_list(tx: Connection, name: str = "appeals") -> int:
    return mailing_lists.add(
        tx, name=name, title="Appeals", description="", language="en", owner="ada@example.org", now=NOW
    ).id


@contextmanager
def stopped_at(pipe: Path, backing: Future[Manifest]) -> Iterator[BinaryIO]:
    """While the block runs, a backup waits for what a pipe in the place of a large mail will give it."""
    come, ours = Event(), list[int]()

    def let_us_in(_: Future[Manifest]) -> None:
        """A backup that ends without reading the pipe must not keep us waiting for it."""
        if not come.is_set():
            ours.append(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))

    backing.add_done_callback(let_us_in)
    with os.fdopen(os.open(pipe, os.O_WRONLY), "wb") as mail:  # waits for whoever reads it
        come.set()
        for descriptor in ours:
            os.close(descriptor)
        if backing.done():
            raise AssertionError(f"it did not come to the spool: {backing.result()}")
        yield mail


def a_large_mail(tx: Connection, name: str) -> None:
    values: dict[str, Any] = {
        "sender": "rosa@example.org",
        "recipients": [],
        "raw": b"",
        "request": {},
        "spooled": name,
    }
    tx.execute(insert(incoming).values(state="waiting", received_at=NOW, **values))


def tables_in(file: Path) -> dict[str, bytes]:
    with ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.startswith("tables/")}


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", ALL_RELEASED)
def test_everything_is_restored_unchanged_on_either_database_and_every_campaign_is_paused(
    request: pytest.FixtureRequest,
    source: tuple[Path, str],
    target: str,
    empty: Callable[[str], str],
    here: ServiceFiles,
    there: ServiceFiles,
    tmp_path: Path,
) -> None:
    first, second, url = tmp_path / "first.zip", tmp_path / "second.zip", empty(target)
    with restore_released(request, *source, tmp_path) as kept:
        made = back_up(kept.url, here, MIGRATIONS, first, NOW)

    done = restore_backup(url, there, MIGRATIONS, first, NOW, migrate=False)
    back_up(url, there, MIGRATIONS, second, NOW)

    before, after = tables_in(first), tables_in(second)
    campaigns = member_name("campaign")
    assert {name for name in before if before[name] != after[name]} == {campaigns}
    state = list(made.tables["campaign"].columns).index("state")
    rows = [json.loads(line)[state] for line in after[campaigns].splitlines()]
    assert rows == ["sent", "draft", "paused"]
    assert (done.standstill.unscheduled, done.standstill.paused) == ((2,), (3,))
    assert there.secret_file.read_bytes() == b"its secret"
    assert stat.S_IMODE(there.secret_file.stat().st_mode) == stat.S_IMODE(first.stat().st_mode) == 0o600
    assert migrate_database(url, MIGRATIONS, lambda *_: None) is None


def test_ids_given_after_a_restore_are_never_those_of_lost_tokens(
    database_url: str, here: ServiceFiles, tmp_path: Path
) -> None:
    back_up(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)
    restore_backup(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)

    def join(tx: Connection) -> tuple[int, int]:
        person: dict[str, Any] = {"suppression_key": "k", "mailbox_key": "m", "created_at": NOW}
        subscriber = tx.execute(
            insert(subscription.metadata.tables["subscriber"])
            .values(address="emma@example.org", address_key="emma@example.org", **person)
            .returning(text("id"))
        ).scalar_one()
        number = a_list(tx)
        standing: dict[str, Any] = {"state": "confirmed", "attributes": {}, "created_at": NOW, "changed_at": NOW}
        joined = insert(subscription).values(mailing_list_id=number, subscriber_id=subscriber, **standing)
        return number, tx.execute(joined.returning(subscription.c.id)).scalar_one()

    mailing_list, number = do(database_url, join)

    assert mailing_list == 1
    assert number > 10**9


def test_the_snapshot_is_of_one_instant_and_blocks_no_writer(
    database_url: str, here: ServiceFiles, there: ServiceFiles, tmp_path: Path, empty: Callable[[str], str]
) -> None:
    here.spool.mkdir()
    # A pipe in the place of a large mail: the backup stands still in the middle until we feed it.
    os.mkfifo(here.spool / "slow.mail")
    do(database_url, lambda tx: a_large_mail(tx, "slow.mail"))

    with ThreadPoolExecutor() as pool:
        backing = pool.submit(back_up, database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)
        with stopped_at(here.spool / "slow.mail", backing) as mail:
            do(database_url, a_list)
            assert not (tmp_path / "b.zip").exists()
            mail.write(LARGE)
        made = backing.result()

    url = empty("sqlite")
    restore_backup(url, there, MIGRATIONS, tmp_path / "b.zip", NOW)
    assert made.tables["mailing_list"].rows == 0
    assert (len(do(database_url, mailing_lists.list_all)), do(url, mailing_lists.list_all)) == (1, [])
    assert (there.spool / "slow.mail").read_bytes() == LARGE
    assert stat.S_IMODE((there.spool / "slow.mail").stat().st_mode) == 0o600


def test_a_mail_processed_meanwhile_is_not_in_the_backup_and_a_lost_file_is_reported(
    database_url: str, here: ServiceFiles, tmp_path: Path
) -> None:
    here.spool.mkdir()
    os.mkfifo(here.spool / "a.mail")
    (here.spool / "b.mail").write_bytes(LARGE)
    for name in ("a.mail", "b.mail", "lost.mail"):
        do(database_url, lambda tx, name=name: a_large_mail(tx, name))

    with ThreadPoolExecutor() as pool:
        backing = pool.submit(back_up, database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)
        with stopped_at(here.spool / "a.mail", backing) as mail:
            acted = update(incoming).where(incoming.c.spooled == "b.mail").values(state="done", spooled=None)
            do(database_url, lambda tx: tx.execute(acted))
            (here.spool / "b.mail").unlink()
            (here.spool / "a.mail").unlink()
            (here.spool / "a.mail").write_bytes(LARGE)
            mail.write(LARGE)
        made = backing.result()

    assert (made.spool, made.missing) == (("a.mail",), ("lost.mail",))


def test_a_backup_signs_nobody_in_and_keeps_what_organisers_may_do(
    database_url: str, here: ServiceFiles, there: ServiceFiles, empty: Callable[[str], str], tmp_path: Path
) -> None:
    def let_ada_in(tx: Connection) -> None:
        ada, _ = organisers.add(
            tx, parse_address("ada@example.org"), name="Ada", language="en", zone="Europe/Berlin", now=NOW
        )
        organisers.add_grant(tx, ada, SITE_OWNER)
        organiser_sessions.add(tx, ada, cookie="c" * 43, device="Firefox on Linux", now=NOW)
        sign_ins.add_link(tx, SignInWay.COMMAND, "w" * 43, ada, NOW)

    do(database_url, let_ada_in)
    back_up(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)
    url = empty("sqlite")
    restore_backup(url, there, MIGRATIONS, tmp_path / "b.zip", NOW, migrate=False)

    assert do(url, lambda tx: organiser_sessions.find_by_cookie(tx, "c" * 43, NOW)) is None
    assert do(url, lambda tx: sign_ins.find_by_link(tx, "w" * 43)) is None
    (ada,) = do(url, organisers.list_all)
    assert (ada.address, ada.grants) == ("ada@example.org", (SITE_OWNER,))
    # Its number stands in the audit log: no session gets it again.
    assert do(url, lambda tx: organiser_sessions.add(tx, ada.id, cookie="d" * 43, device="", now=NOW)).id == 2


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_counted_by_day_is_restored(
    database_url: str, here: ServiceFiles, there: ServiceFiles, empty: Callable[[str], str], tmp_path: Path, kind: str
) -> None:
    do(database_url, lambda tx: list_days.save_day(tx, NOW.date(), {1: Counter(joined=3, left=1)}))
    back_up(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)
    url = empty(kind)
    restore_backup(url, there, MIGRATIONS, tmp_path / "b.zip", NOW, migrate=False)

    days = do(url, lambda tx: list_days.load_days(tx, [1], NOW.date() + timedelta(days=1), 2))

    assert [(one.joined, one.left) for one in days] == [(3, 1), (0, 0)]


def test_a_backup_can_write_the_values_of_every_column(database_url: str) -> None:
    plain = do(
        database_url,
        lambda tx: {
            f"{table.name}.{name}": table.columns[name].type.python_type
            for table in own_tables(tx)
            for name, kind in column_kinds(table).items()
            if kind == "plain"
        },
    )

    assert {name: of for name, of in plain.items() if of not in {str, int, bool, float}} == {}


def test_nothing_is_overwritten_and_no_partial_file_stays(
    database_url: str, here: ServiceFiles, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "b.zip").write_text("something dear")

    with pytest.raises(AlreadyExists, match=r"b\.zip"):
        back_up(database_url, here, MIGRATIONS, folder / "b.zip", NOW)
    with pytest.raises(BackupFailed, match="No such file"):
        back_up(database_url, here, MIGRATIONS, folder / "none" / "b.zip", NOW)
    with pytest.raises(MailerError, match="without it no link"):
        back_up(database_url, replace(here, secret_file=tmp_path / "no"), MIGRATIONS, folder / "c.zip", NOW)

    assert [(one.name, one.read_text()) for one in folder.iterdir()] == [("b.zip", "something dear")]


def test_without_a_database_there_is_no_backup_and_no_database_is_created(here: ServiceFiles, tmp_path: Path) -> None:
    with pytest.raises(SchemaUnknown, match="nothing to back up"):
        back_up(f"sqlite:///{tmp_path}/none.db", here, MIGRATIONS, tmp_path / "b.zip", NOW)

    assert not {tmp_path / "none.db", tmp_path / "b.zip"} & set(tmp_path.iterdir())


def test_a_restore_refuses_while_a_service_runs_and_overwrites_nothing(
    database_url: str, here: ServiceFiles, there: ServiceFiles, tmp_path: Path
) -> None:
    back_up(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)
    put = partial(restore_backup, database_url, migrations=MIGRATIONS, file=tmp_path / "b.zip", now=NOW)
    engine = open_engine(database_url)
    with own_database(engine), pytest.raises(DatabaseOwned):
        put(service_files=here, replace=True)
    engine.dispose()
    there.secret_file.write_bytes(b"another")
    with pytest.raises(AlreadyExists, match="another secret"):
        put(service_files=there)
    do(database_url, a_list)
    with pytest.raises(AlreadyExists, match="the database"):
        put(service_files=here)

    assert [one.name for one in do(database_url, mailing_lists.list_all)] == ["appeals"]
    assert there.secret_file.read_bytes() == b"another"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_restore_refuses_while_a_worker_sends(database_url: str, here: ServiceFiles, tmp_path: Path) -> None:
    back_up(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)
    engine = open_engine(database_url)
    sending = WorkerPresence(engine)
    sending.register("campaigns", NOW)

    with pytest.raises(DatabaseOwned, match="worker"):
        restore_backup(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)

    sending.close()
    engine.dispose()
    restore_backup(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)


def test_a_replaced_database_is_kept_and_its_suppressions_stay(
    database_url: str, here: ServiceFiles, tmp_path: Path
) -> None:
    order = partial(suppressions.add, reason=SuppressionReason.LEFT, now=NOW)
    number = do(database_url, a_list)
    do(database_url, lambda tx: order(tx, "rosa's", number))
    back_up(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW)
    do(database_url, lambda tx: order(tx, "emma's", number))
    do(database_url, lambda tx: order(tx, "bea's", EVERY_LIST))
    do(database_url, lambda tx: order(tx, "of a list that is gone", a_list(tx, "later")))

    done = restore_backup(database_url, here, MIGRATIONS, tmp_path / "b.zip", NOW, replace=True)

    stand = do(database_url, lambda tx: suppressions.find_suppressed(tx, ["rosa's", "emma's", "bea's"], number))
    assert (stand, done.suppressions) == ({"rosa's", "emma's", "bea's"}, 2)
    restore_backup(database_url, here, MIGRATIONS, done.aside[0], NOW, replace=True)
    assert len(do(database_url, mailing_lists.list_all)) == 2


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole backup's octets."""
    place = tmp_path_factory.mktemp("archive")
    url, own = f"sqlite:///{place}/mailer.db", service_files(place / "own", b"secret")
    migrate_database(url, MIGRATIONS)
    do(url, a_list)
    back_up(url, own, MIGRATIONS, place / "b.zip", NOW)
    return (place / "b.zip").read_bytes()


@settings(max_examples=150)
@given(st.data())
@pytest.mark.slow
def test_no_damage_goes_unnoticed(
    archive: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(archive) - 1))
    if data.draw(st.booleans()):
        damaged = archive[:at]
    else:
        damaged = archive[:at] + bytes((archive[at] ^ 1 << data.draw(st.integers(0, 7)),)) + archive[at + 1 :]
    file = tmp_path_factory.getbasetemp() / "damaged.zip"
    file.write_bytes(damaged)
    untouched = ServiceFiles(spool=file.with_name("no spool"), secret_file=file.with_name("no secret"))

    with pytest.raises(BackupRefused, match=r"damaged\.zip: (not a backup|not whole: it ends after|damaged: its )"):
        restore_backup(f"sqlite:///{file.with_name('no.db')}", untouched, MIGRATIONS, file, NOW)

    assert not {untouched.spool, untouched.secret_file, file.with_name("no.db")} & set(file.parent.iterdir())


def test_a_damaged_part_is_named(archive: bytes, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    file.write_bytes(archive)
    with ZipFile(file) as whole:
        place = whole.getinfo(member_name("mailing_list")).header_offset + 80
    file.write_bytes(archive[:place] + bytes((archive[place] ^ 255,)) + archive[place + 1 :])

    with pytest.raises(BackupRefused, match=r"its part tables/mailing_list\.jsonl"), open_archive(file):
        pass


Change = Callable[[dict[str, bytes], dict[str, Any]], object]
STRANGE: dict[str, tuple[Change, type[MailerError], str]] = {
    "format": (lambda _, manifest: manifest.update(format=9), BackupRefused, "format 9, made by version"),
    "schema": (lambda _, manifest: manifest.update(schema="9999"), SchemaUnknown, "9999"),
    "no manifest of ours": (lambda _, manifest: manifest.clear(), BackupRefused, "manifest.json"),
    "a part is missing": (lambda parts, _: parts.pop("tables/budget.jsonl"), BackupRefused, "budget.jsonl"),
    "a row too many": (
        lambda parts, _: parts.update({"tables/hold.jsonl": b'["a","2027-01-01T00:00:00+00:00","",null]\n'}),
        BackupRefused,
        "hold.jsonl: 1 rows",
    ),
    "no row": (lambda parts, _: parts.update({"tables/hold.jsonl": b"{}\n"}), BackupRefused, "hold.jsonl, line 1"),
    "no JSON": (lambda parts, _: parts.update({"tables/hold.jsonl": b"\xff\n"}), BackupRefused, "hold.jsonl"),
    "another table": (lambda _, manifest: manifest["tables"].pop("hold"), BackupRefused, "schema 0009"),
    "a way out of the spool": (
        lambda parts, manifest: (parts.update({"spool/../x.mail": b""}), manifest.update(spool=["../x.mail"])),
        BackupRefused,
        "no name of a file",
    ),
    "a row without its parent": (
        lambda parts, manifest: (
            parts.update({"tables/edition.jsonl": b'[1,77,"en",true]\n'}),
            manifest["tables"]["edition"].update(rows=1),
        ),
        MailerError,
        "edition|foreign key",
    ),
}


@pytest.mark.parametrize(
    ("case", "database_url"),
    [
        *((case, "sqlite") for case in STRANGE),
        ("another table", "postgresql"),
        ("a row without its parent", "postgresql"),
    ],
    indirect=["database_url"],
)
@pytest.mark.slow
def test_a_foreign_archive_is_refused_and_nothing_of_it_stays(
    case: str, archive: bytes, database_url: str, here: ServiceFiles, tmp_path: Path
) -> None:
    change, kind, said = STRANGE[case]
    do(database_url, lambda tx: a_list(tx, "dear"))
    whole = tmp_path / "whole.zip"
    whole.write_bytes(archive)
    with ZipFile(whole) as source:
        parts = {name: source.read(name) for name in source.namelist() if name != "manifest.json"}
        manifest = json.loads(source.read("manifest.json"))
    change(parts, manifest)
    with new_archive(tmp_path / "strange.zip") as made:
        for name, octets in parts.items():
            made.writestr(name, octets)
        made.writestr("manifest.json", json.dumps(manifest))

    with pytest.raises(kind, match=said):
        restore_backup(database_url, here, MIGRATIONS, tmp_path / "strange.zip", NOW, replace=True)

    assert [one.name for one in do(database_url, mailing_lists.list_all)] == ["dear"]
    assert here.secret_file.read_bytes() == b"its secret"


@pytest.mark.parametrize("source", [one for one in ALL_RELEASED if "postgresql" in str(one.id)])
def test_postgresql_is_backed_up_before_a_migration_and_can_be_restored(
    request: pytest.FixtureRequest,
    source: tuple[Path, str],
    here: ServiceFiles,
    there: ServiceFiles,
    tmp_path: Path,
    empty: Callable[[str], str],
) -> None:
    with restore_released(request, *source, tmp_path) as kept:
        old = schema_of(kept.url)
        nowhere = replace(here, spool=tmp_path / "no" / "spool")
        with pytest.raises(BackupFailed, match=r"nothing was migrated.*--no-backup"):
            migrate_database(kept.url, MIGRATIONS, partial(back_up_before_migration, nowhere, MIGRATIONS, NOW))
        assert schema_of(kept.url) == old

        saved = migrate_database(kept.url, MIGRATIONS, partial(back_up_before_migration, here, MIGRATIONS, NOW))

        assert schema_of(kept.url) != old
    assert saved == here.spool.with_name(f"database.before-leaving-{old}.zip")
    url = empty("postgresql")
    restore_backup(url, there, MIGRATIONS, saved, NOW, migrate=False)
    assert schema_of(url) == old
