"""The file of a backup: a zip that ends with a digest of all its octets, so that damage is noticed."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from io import BufferedReader
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from mailer.errors import AlreadyExists, BackupFailed, BackupRefused
from mailer.store.backup.archive_digest import DIGEST_PLACEHOLDER, check_integrity, write_digest

FORMAT = 1
MANIFEST, SECRET, SPOOL = "manifest.json", "secret", "spool/"


@dataclass(frozen=True, kw_only=True, slots=True)
class TableManifest:
    """What the manifest says of one table."""

    columns: dict[str, str]
    """The kind of each column's values, see `reflected_tables.py`; a row is a JSON array in this order."""
    rows: int
    last_id: int
    """The highest id that was ever given to a row, as far as the database knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a backup consists of."""

    version: str
    """The version of the service that made it."""
    schema: str
    """The revision of the database."""
    at: str
    """When it was made: all of it is as it was then (ISO 8601, UTC)."""
    tables: dict[str, TableManifest]
    """By name, parents before children."""
    spool: tuple[str, ...] = ()
    """The spool files in it."""
    missing: tuple[str, ...] = ()
    """Spool files that rows name and that were missing before the backup was made."""
    format: int = field(default=FORMAT)


@contextmanager
def new_archive(file: Path) -> Iterator[ZipFile]:
    """An archive to fill; it gets its name, mode 0600, once it is complete and on the disk.

    Raises AlreadyExists rather than overwriting a file, and BackupFailed where it cannot be written.
    """
    _refuse_existing(file)
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        os.close(descriptor)
        part = Path(name)
        try:
            with ZipFile(part, "w", ZIP_DEFLATED) as made:
                made.comment = DIGEST_PLACEHOLDER
                yield made
            write_digest(part)
            _refuse_existing(file)
            part.rename(file)
            _sync_folder(file.parent)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise BackupFailed(f"{file}: the backup cannot be written ({error.strerror or error})") from None


def write_manifest(archive: ZipFile, manifest: Manifest) -> None:
    archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))


@contextmanager
def open_archive(file: Path) -> Iterator[tuple[ZipFile, Manifest]]:
    """An undamaged backup and its manifest. Raises BackupRefused, which says what is wrong, and where."""
    try:
        with file.open("rb") as octets:
            check_integrity(file, octets)
            with ZipFile(octets) as archive:
                yield archive, _read_manifest(file, archive)
    except OSError as error:
        raise BackupRefused(f"{file}: cannot be read ({error.strerror or error})") from None
    except BadZipFile as error:
        raise BackupRefused(f"{file}: not a backup of this service ({error})") from None


def read_rows(archive: ZipFile, table: str, manifest_entry: TableManifest) -> Iterator[list[Any]]:
    """A table's rows, in the order of the manifest's columns. Raises BackupRefused for a line that is not a row."""
    name, line_number = member_name(table), 0
    with BufferedReader(archive.open(name)) as lines:  # type: ignore[type-var]
        for line_number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                if not isinstance(row, list) or len(row) != len(manifest_entry.columns):
                    raise ValueError("not a row of this table")
                yield [
                    _decode_value(kind, value) for kind, value in zip(manifest_entry.columns.values(), row, strict=True)
                ]
            except (ValueError, TypeError) as error:
                raise BackupRefused(f"{name}, line {line_number}: {error}") from None
    if line_number != manifest_entry.rows:
        raise BackupRefused(f"{name}: {line_number} rows, where the manifest says {manifest_entry.rows}")


def encode_row(kinds: list[str], row: tuple[Any, ...]) -> str:
    """A row as `read_rows` reads it, with its line end."""
    values = [_encode_value(kind, value) for kind, value in zip(kinds, row, strict=True)]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n"


def member_name(table: str) -> str:
    """The name of a table's file in the zip."""
    return f"tables/{table}.jsonl"


def _encode_value(kind: str, value: Any) -> Any:
    if value is None or kind in {"plain", "json"}:
        return value
    return base64.b64encode(value).decode() if kind == "octets" else value.isoformat()


def _decode_value(kind: str, value: Any) -> Any:
    if value is None or kind in {"plain", "json"}:
        return value
    if kind == "day":
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if kind == "instant" else base64.b64decode(value, validate=True)


def _read_manifest(file: Path, archive: ZipFile) -> Manifest:
    try:
        content = json.loads(archive.read(MANIFEST))
        if content["format"] != FORMAT:
            raise BackupRefused(
                f"{file}: a backup of format {content['format']}, made by version {content['version']};"
                f" this version reads format {FORMAT}"
            )
        table_manifests = {name: TableManifest(**mark) for name, mark in content.pop("tables").items()}
        needed = [
            SECRET,
            *(member_name(table) for table in table_manifests),
            *(SPOOL + name for name in content["spool"]),
        ]
        if lacking := set(needed) - set(archive.namelist()):
            raise ValueError(f"it names {', '.join(sorted(lacking))}, which is not there")
        return Manifest(
            **content
            | {"tables": table_manifests, "spool": tuple(content["spool"]), "missing": tuple(content["missing"])}
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackupRefused(f"{file}: {MANIFEST} is not that of a backup ({error})") from None


def _refuse_existing(file: Path) -> None:
    if file.exists() or file.is_symlink():
        raise AlreadyExists(f"{file}: already there; nothing was overwritten")


def write_new_file(file: Path, octets: bytes) -> None:
    """Write a file with mode 0600, and sync it to the disk. Raises FileExistsError."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(octets)
        out.flush()
        os.fsync(out.fileno())
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
