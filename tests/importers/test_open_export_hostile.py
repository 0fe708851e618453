"""Hostile files of every kind are refused, or are rows, within a second and a hundred megabytes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

_HEADING = b"email,name\nrosa@example.org,Rosa\n"


def _sheet_of_empty_rows() -> bytes:
    rows = b"".join(b'<row r="%d"></row>' % number for number in range(1, 1_000_000))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", b"<Types/>")
        packed.writestr("xl/workbook.xml", b"<workbook><sheets><sheet/></sheets></workbook>")
        packed.writestr("xl/worksheets/sheet1.xml", b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>")
    return out.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "endless_line.csv": lambda: _HEADING + b"emma@example.org," + b"a" * (40 << 20),
    "endless_quote.csv": lambda: _HEADING + b'emma@example.org,"' + b"a,\n" * 100_000,
    "quotes_without_end.csv": lambda: _HEADING + b'x"y,"z\n' * 50_000,
    "nothing_but_separators.csv": lambda: _HEADING + b"," * (20 << 20),
    "zeros.csv": lambda: _HEADING + bytes(30 << 20),
    "deep.json": lambda: b'{"data":{"results":' + b"[" * 1_000_000,
    "long_text.json": lambda: b'{"data":{"results":[{"email":"' + b"a" * (40 << 20),
    "config.pck": lambda: b"cos\nsystem\n(S'touch hacked'\ntR.",
    "long_string.pck": lambda: b"}q\x01(U\x07membersT\xff\xff\xff\x7f",
    "empty_rows.xlsx": _sheet_of_empty_rows,
    "member.dump": lambda: b"email rosa@example.org\n" + b"gecos " + b"a" * (40 << 20),
}
_TRY = """
import json, sys, time
from pathlib import Path
from mailer.errors import MailerError
from mailer.importers.export_format import ReadOptions
from mailer.importers.open_export import open_export
from mailer.importers.sources.open_source import open_source
began = time.process_time()
try:
    with open_source(Path(sys.argv[1])) as source:
        rows = sum(1 for _ in open_export(source, None, ReadOptions(state="confirmed")).rows.rows)
        outcome = f"{rows} rows"
except MailerError as refusal:
    outcome = str(refusal)
took = time.process_time() - began
peak_kib = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
print(json.dumps([took, peak_kib, outcome]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_little(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name]())

    tried = subprocess.run(
        [sys.executable, "-c", _TRY, tmp_path / name], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    took, peak_kib, outcome = json.loads(tried.stdout)

    assert took < 1, outcome
    assert peak_kib < 100_000, outcome
    assert len(outcome) < 1500
    assert [one.name for one in tmp_path.iterdir()] == [name]
