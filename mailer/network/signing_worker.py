"""A process that does nothing but sign: octets come in on its standard input, signatures go out, until it closes.

It is run as a module of its own by `mailer.network.signing_pool`. Frames both ways: four octets of length, then what
`marshal` makes; the keys first (a list of PEM texts), afterwards batches of (key's place, octets to sign).
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
    """A value as it travels."""
    octets = marshal.dumps(value)
    return len(octets).to_bytes(LENGTH_OCTETS, "big") + octets


def _read_frame(stream: BinaryIO) -> Any:
    head = stream.read(LENGTH_OCTETS)
    return marshal.loads(stream.read(int.from_bytes(head, "big"))) if head else None  # noqa: S302


def main() -> None:
    """Sign until standard input ends, as it does with the parent."""
    # Ctrl-C reaches the whole group: the parent decides when nothing is to be signed any more.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whoever sends goes first: it is done sooner, and then has more for us.
    os.nice(5)
    given, out = sys.stdin.buffer, sys.stdout.buffer
    signers: list[Signer] = [load_signer("", "", pem) for pem in _read_frame(given) or ()]
    while (batch := _read_frame(given)) is not None:
        out.write(encode_frame([compute_signature(signers[place], octets) for place, octets in batch]))
        out.flush()


if __name__ == "__main__":
    main()
