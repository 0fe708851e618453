"""Split a pickle into its opcodes and their arguments, each length checked before anything is read."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable, Iterator

from mailer.errors import TableRefused

PickleArgument = bytes | str | int | float | bool | tuple[str, str] | None
PickleOpcode = tuple[str, PickleArgument]
"""The opcode as a character (pickletools lists them), and its argument."""

_MAX_NUMBER = 64
"""The longest written number, in octets. Python reads longer ones in quadratic time."""
_MAX_MODULE = 200
_FIXED = {"K": "<B", "M": "<H", "J": "<i", "G": ">d", "q": "<B", "h": "<B", "r": "<I", "j": "<I", "\x80": "<B"}
_FIXED["\x95"] = "<Q"
_COUNTED = {"U": "<B", "C": "<B", "\x8c": "<B", "\x8a": "<B", "T": "<i", "B": "<I", "X": "<I", "\x8b": "<i"}
_COUNTED |= {"\x8e": "<Q", "\x8d": "<Q"}
_STRUCTS = {opcode: struct.Struct(form) for opcode, form in (_FIXED | _COUNTED).items()}
_PLAIN = "(.0]}[adelosutb2N)1\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94R"
_REFUSED = {"P": "a persistent object", "Q": "a persistent object"} | dict.fromkeys(
    "\x82\x83\x84", "the extension registry"
)


def read_opcodes(octets: bytes) -> Iterator[PickleOpcode]:
    """The opcodes up to STOP. Raises TableRefused for what is cut off, is no pickle, or asks for foreign objects."""
    at, size = 0, len(octets)
    while at < size:
        opcode = chr(octets[at])
        at += 1
        argument: PickleArgument = None
        if reader := _READERS.get(opcode):
            argument, at = reader(octets, at, opcode)
        elif opcode not in _PLAIN:
            raise TableRefused(
                f"asks for {_REFUSED[opcode]}, which no list of Mailman has: it is not read"
                if opcode in _REFUSED
                else f"is damaged, or no pickle: octet {at} is {opcode!r}"
            )
        yield opcode, argument
        if opcode == ".":
            return
    raise TableRefused(f"is cut off after {size} octets: take an uncut copy of it")


def _take(octets: bytes, at: int, count: int) -> tuple[bytes, int]:
    if count < 0 or count > len(octets) - at:
        raise TableRefused(f"is cut off: at octet {at} it says that {count} more follow, there are {len(octets) - at}")
    return octets[at : at + count], at + count


def _read_counted(octets: bytes, at: int, opcode: str) -> tuple[PickleArgument, int]:
    form = _STRUCTS[opcode]
    raw, at = _take(octets, at, form.size)
    text, at = _take(octets, at, form.unpack(raw)[0])
    return _parse(opcode, text), at


def _read_fixed(octets: bytes, at: int, opcode: str) -> tuple[PickleArgument, int]:
    form = _STRUCTS[opcode]
    raw, at = _take(octets, at, form.size)
    return form.unpack(raw)[0], at


def _read_parsed_line(octets: bytes, at: int, opcode: str) -> tuple[PickleArgument, int]:
    line, at = _read_line(octets, at)
    return _parse(opcode, line), at


def _read_names(octets: bytes, at: int, opcode: str) -> tuple[PickleArgument, int]:
    """The module and the name of GLOBAL and INST."""
    module, at = _read_line(octets, at)
    name, at = _read_line(octets, at)
    return (_name(module), _name(name)), at


def _read_line(octets: bytes, at: int) -> tuple[bytes, int]:
    end = octets.find(b"\n", at)
    if end < 0:
        raise TableRefused(f"is cut off at octet {at}: a line does not end")
    return octets[at:end], end + 1


def _name(text: bytes) -> str:
    return text[:_MAX_MODULE].decode("ascii", "replace")


def _parse(opcode: str, text: bytes) -> PickleArgument:
    try:
        return _PARSERS[opcode](text) if opcode in _PARSERS else text
    except (ValueError, OverflowError):
        raise TableRefused(f"is damaged: {text[:40]!r} is no value of the opcode {opcode!r}") from None


def _short(text: bytes) -> bytes:
    if len(text) > _MAX_NUMBER:
        raise ValueError
    return text


def _parse_int(text: bytes) -> int | bool:
    """An INT; 00 and 01 are how Python 2 wrote False and True."""
    if text in {b"00", b"01"}:
        return text == b"01"
    return int(_short(text))


def _parse_quoted(text: bytes) -> bytes:
    text = text.strip()
    if len(text) < 2 or text[:1] not in {b"'", b'"'} or text[-1:] != text[:1]:
        raise ValueError
    return codecs.escape_decode(text[1:-1])[0]


_PARSERS: dict[str, Callable[[bytes], PickleArgument]] = {
    "I": _parse_int,
    "L": lambda text: int(_short(text).rstrip(b"L")),
    "F": lambda text: float(_short(text)),
    "S": _parse_quoted,
    "V": lambda text: text.decode("raw-unicode-escape"),
    "g": lambda text: int(_short(text)),
    "p": lambda text: int(_short(text)),
    "X": lambda text: text.decode("utf-8", "surrogatepass"),
    "\x8c": lambda text: text.decode("utf-8", "surrogatepass"),
    "\x8d": lambda text: text.decode("utf-8", "surrogatepass"),
    "\x8a": lambda text: int.from_bytes(_short(text), "little", signed=True),
    "\x8b": lambda text: int.from_bytes(_short(text), "little", signed=True),
}

_READERS: dict[str, Callable[[bytes, int, str], tuple[PickleArgument, int]]] = {
    **dict.fromkeys(_COUNTED, _read_counted),
    **dict.fromkeys(_FIXED, _read_fixed),
    **dict.fromkeys("ILFSVgp", _read_parsed_line),
    **dict.fromkeys("ci", _read_names),
}
