"""Workload: parsing bounces, complaints and auto-replies of many mail systems, on one core."""

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
    """Parse the samples of the tests repeatedly; the yardstick is the standard library's parser on the same mails."""
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
