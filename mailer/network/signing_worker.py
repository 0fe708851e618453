"""A process that only signs: it reads octets from its standard input and writes signatures to its standard output.

SigningPool runs it as a module. Frames in both directions are four octets of length and a value in `marshal` format:
first the keys (a list of PEM texts), then batches of (index of the key, octets to sign).
"""

from __future__ import annotations

import marshal
import os
import signal
import sys
from typing import Any, BinaryIO

from mailer.mail.dkim.signing import Signer, compute_signature, load_signer

LENGTH_OCTETS = 4


def encode_frame(value: Any) -> bytes:
    """The frame that carries a value."""
    octets = marshal.dumps(value)
    return len(octets).to_bytes(LENGTH_OCTETS, "big") + octets


def _read_frame(stream: BinaryIO) -> Any:
    head = stream.read(LENGTH_OCTETS)
    return marshal.loads(stream.read(int.from_bytes(head, "big"))) if head else None  # noqa: S302


def main() -> None:
    """Sign until standard input closes, at the latest when the parent ends."""
    # Ctrl-C reaches the whole process group, but the parent decides when signing stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The process that sends has priority: it is what keeps us supplied.
    os.nice(5)
    requests, out = sys.stdin.buffer, sys.stdout.buffer
    signers: list[Signer] = [load_signer("", "", pem) for pem in _read_frame(requests) or ()]
    while (batch := _read_frame(requests)) is not None:
        out.write(encode_frame([compute_signature(signers[place], octets) for place, octets in batch]))
        out.flush()


if __name__ == "__main__":
    main()
