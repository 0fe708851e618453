"""Exports of ours are recognised before any other product's, with what lies beside them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.open_export import OpenedExport, open_export
from mailer.importers.person_row import PersonRow
from mailer.importers.sources.open_source import open_source, open_stream

PEOPLE = (
    "\ufeffemail,name,language,zone,state,delivery_mode,suppressed,agreed_at,changed_at,attributes.Town\n"
    "rosa@example.org,Rosa,es,,confirmed,,,2026-01-02T03:04:05+00:00,2026-01-02T03:04:05+00:00,Lima\n"
    "gone@example.org,,,,unsubscribed,,left 2026-02-02T00:00:00+00:00,,2026-02-02T00:00:00+00:00,\n"
    "nobody,,,,confirmed,,,,,\n"
)
OLD_PEOPLE = (
    "email,name,language,zone,state,suppressed,agreed_at,changed_at,town\nrosa@example.org,,,,pending,,,,Lima\n"
)
SUPPRESSIONS = (
    "key,secret_id,reason,list,since,until,email\n"
    f"{'0a' * 32},01234567,left,appeals,2026-02-02T00:00:00+00:00,,\n"
    f"{'0b' * 32},01234567,complained,everywhere,2026-02-02T00:00:00+00:00,,angry@example.org\n"
    "nothing,01234567,left,appeals,,,\n"
)
CONSENTS = (
    '{"at":"2026-01-02T03:04:05+00:00","address":"rosa@example.org","act":"confirmed","way":"link","evidence":{}}\n'
)


def _write(folder: Path, **contents: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name.replace("_", ".")).write_text(content)
    return folder


def _rows(opened: OpenedExport) -> list[PersonRow | BadRow]:
    rows = [row for _, row in opened.rows.rows]
    assert all(isinstance(row, PersonRow | BadRow) for row in rows)
    return rows  # type: ignore[return-value]


def test_all_files_of_an_export_are_read(tmp_path: Path) -> None:
    folder = _write(tmp_path, people_csv=PEOPLE, suppressions_csv=SUPPRESSIONS, consent_jsonl=CONSENTS, list_toml="")

    with open_source(folder) as source:
        opened = open_export(source, None, ReadOptions())
        rows = _rows(opened)
        keys, consents = list(opened.rows.suppressed_keys), list(opened.rows.consents)

    assert opened.description == "an export of this service, 3 files"
    assert opened.passed_over == ("list.toml",)
    people = {row.address.addr_spec: row for row in rows if isinstance(row, PersonRow)}
    assert people["rosa@example.org"].attributes == {"Town": "Lima"}
    assert people["gone@example.org"].state is SubscriptionState.UNSUBSCRIBED
    assert (people["angry@example.org"].state, len(people["angry@example.org"].suppressions)) == (None, 1)
    assert [row.where for row in rows if isinstance(row, BadRow)] == ["people.csv, line 4", "suppressions.csv, line 4"]
    assert [one.key for one in keys] == ["0a" * 32]
    assert len(consents) == 1


def test_suppressions_alone_are_an_export_as_is_a_table_of_an_earlier_version_over_a_pipe(tmp_path: Path) -> None:
    folder = _write(tmp_path, suppressions_csv=SUPPRESSIONS)

    with open_source(folder / "suppressions.csv") as source:
        alone = open_export(source, None, ReadOptions())
        assert len(list(alone.rows.suppressed_keys)) == 1
    for table in (OLD_PEOPLE, OLD_PEOPLE.replace(",", ";")):
        with open_stream(io.BytesIO(table.encode())) as source:
            (rosa,) = _rows(open_export(source, None, ReadOptions()))
        assert isinstance(rosa, PersonRow)
        assert (rosa.state, rosa.attributes) == (SubscriptionState.PENDING, {"town": "Lima"})


def test_of_several_lists_one_is_chosen_by_its_folder(tmp_path: Path) -> None:
    for name in ("appeals", "harvest"):
        _write(tmp_path / name, people_csv=PEOPLE.replace("rosa@", f"{name}@"), consent_jsonl=CONSENTS)

    with open_source(tmp_path) as source:
        with pytest.raises(TableRefused, match=r"several lists \(appeals, harvest\): say which with --source-list"):
            open_export(source, None, ReadOptions())
        rows = _rows(open_export(source, None, ReadOptions(source_list="harvest")))

    assert isinstance(rows[0], PersonRow)
    assert rows[0].address.addr_spec == "harvest@example.org"


def test_two_tables_of_people_side_by_side_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as packed:
        packed.writestr("people.csv", PEOPLE)
        packed.writestr("people-before.csv", PEOPLE)

    with open_source(tmp_path / "export.zip") as source, pytest.raises(TableRefused, match="several tables of one"):
        open_export(source, None, ReadOptions())
