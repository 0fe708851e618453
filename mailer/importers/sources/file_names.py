"""Names of files within exports: those to pass over, archives, and names that cannot be shown."""

from __future__ import annotations

_SYSTEM_NAMES = {".ds_store", "thumbs.db", "desktop.ini", "__macosx"}
_ARCHIVE_ENDINGS = (
    *(".zip", ".7z", ".rar", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".lz4", ".lzma"),
    *(".z", ".cab", ".arj", ".iso", ".dmg", ".jar"),
)
_ARCHIVE_MARKS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it (7z x), and give the folder",
    b"Rar!\x1a\x07": "a RAR archive: unpack it (unrar x), and give the folder",
    b"\x1f\x8b": "packed by gzip: unpack it (tar xf, or gunzip), and give what comes out",
    b"BZh": "packed by bzip2: unpack it (tar xf, or bunzip2), and give what comes out",
    b"\xfd7zXZ\x00": "packed by xz: unpack it (tar xf, or unxz), and give what comes out",
    b"\x28\xb5\x2f\xfd": "packed by Zstandard: unpack it (tar xf, or unzstd), and give what comes out",
}
_TAR_MARK, _TAR_MARK_AT = b"ustar", 257
ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
"""The first octets of a zip, and of an empty one."""


def is_system_file(name: str) -> bool:
    """Whether a path leads to what macOS and Windows put beside people's files."""
    parts = name.casefold().split("/")
    return not _SYSTEM_NAMES.isdisjoint(parts) or parts[-1].startswith("._")


def is_archive_name(name: str) -> bool:
    """Whether a name says that the file is an archive or packed."""
    return name.casefold().endswith(_ARCHIVE_ENDINGS)


def describe_archive(head: bytes) -> str | None:
    """What archive, other than a zip, begins with these octets, and what to do with it; None for no archive."""
    if head[_TAR_MARK_AT:].startswith(_TAR_MARK):
        return "a tar archive: unpack it (tar xf), and give the folder"
    return next((text for mark, text in _ARCHIVE_MARKS.items() if head.startswith(mark)), None)


def printable_name(name: str) -> str:
    """The name with everything escaped that a terminal would not show as one line."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)
