"""Write pickles as Python 2 wrote them for Mailman 2.1: byte strings, unicode, one old-style class."""

from __future__ import annotations

import struct
from typing import Any


class BounceInfo:
    """Stands for a Mailman.Bouncer._BounceInfo."""

    def __init__(self, **attributes: object) -> None:
        self.attributes = attributes


def write_python2_pickle(value: object, protocol: int = 1) -> bytes:
    """The pickle of a value in protocol 0, 1 or 2; each text is put into the memo, as cPickle does."""
    writer = _Writer(protocol)
    writer.write(value)
    return (b"\x80\x02" if protocol == 2 else b"") + b"".join(writer.parts) + b"."


class _Writer:
    def __init__(self, protocol: int) -> None:
        self.parts: list[bytes] = []
        self.binary = protocol > 0
        self.memoized: dict[object, int] = {}

    def add(self, *parts: bytes) -> None:
        self.parts.extend(parts)

    def write(self, value: Any) -> None:
        if isinstance(value, bytes | str):
            self.write_text(value)
        elif value is None:
            self.add(b"N")
        elif isinstance(value, bool):
            self.add(b"I01\n" if value else b"I00\n")
        elif isinstance(value, int):
            self.write_int(value)
        elif isinstance(value, float):
            self.add(b"G" + struct.pack(">d", value) if self.binary else f"F{value!r}\n".encode())
        else:
            self.write_container(value)

    def write_int(self, value: int) -> None:
        if not self.binary or not -(1 << 31) <= value < 1 << 31:
            self.add(f"I{value}\n".encode() if abs(value) < 1 << 31 else f"L{value}L\n".encode())
        elif 0 <= value < 256:
            self.add(b"K", bytes([value]))
        else:
            self.add(b"J", struct.pack("<i", value))

    def write_text(self, value: bytes | str) -> None:
        if value in self.memoized:
            number = self.memoized[value]
            self.add(b"j" + struct.pack("<I", number) if self.binary else f"g{number}\n".encode())
            return
        if isinstance(value, str):
            encoded = value.encode("utf-8", "surrogatepass")
            self.add(
                b"X" + struct.pack("<I", len(encoded)) + encoded
                if self.binary
                else b"V" + value.encode("raw-unicode-escape").replace(b"\n", b"\\u000a") + b"\n"
            )
        elif not self.binary:
            self.add(b"S" + repr(value)[1:].encode() + b"\n")
        else:
            self.add(
                b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value
            )
        self.memoized[value] = len(self.memoized)
        self.add(
            b"r" + struct.pack("<I", len(self.memoized) - 1) if self.binary else f"p{len(self.memoized) - 1}\n".encode()
        )

    def write_container(self, value: Any) -> None:
        if isinstance(value, BounceInfo):
            self.add(b"(cMailman.Bouncer\n_BounceInfo\no" if self.binary else b"(iMailman.Bouncer\n_BounceInfo\n")
            self.write({key.encode(): one for key, one in value.attributes.items()})
            self.add(b"b")
        elif isinstance(value, dict):
            self.add(b"}(" if self.binary else b"(d")
            for key, one in value.items():
                self.write(key)
                self.write(one)
                self.add(b"" if self.binary else b"s")
            self.add(b"u" if self.binary else b"")
        else:
            self.add(b"(" if isinstance(value, tuple) else b"](" if self.binary else b"(l")
            for one in value:
                self.write(one)
                self.add(b"a" if isinstance(value, list) and not self.binary else b"")
            self.add(b"t" if isinstance(value, tuple) else b"e" if self.binary else b"")
