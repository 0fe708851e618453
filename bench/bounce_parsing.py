"""How fast mails that came back are read, on one core: bounces of many mail systems, complaints and vacations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email import message_from_bytes, policy

from bench.figure import Figure
from bench.process import ROOT
from bench.workloads import BenchmarkRun
from mailer.mail.bounces.parse_bounce import parse_bounce

_SAMPLES = ROOT / "tests" / "mail" / "bounces" / "samples"
_ROUNDS = 20


def measure_bounce_parsing(_run: BenchmarkRun) -> Iterator[Figure]:
    """The samples of the tests, over and over; the standard library parses the same, and says nothing of them."""
    mails = [file.read_bytes() for file in sorted(_SAMPLES.glob("*.eml"))] * _ROUNDS
    began = time.perf_counter()
    for raw in mails:
        list(message_from_bytes(raw, policy=policy.default).walk())
    parsed = len(mails) / (time.perf_counter() - began)
    began = time.perf_counter()
    for raw in mails:
        parse_bounce(raw)
    rate = len(mails) / (time.perf_counter() - began)
    yield Figure(
        work=f"{len(mails):,} mails that came back are read",
        value=rate,
        unit="mails/s",
        bar=300,
        note=f"the standard library parses {parsed:,.0f} of them a second",
    )
