"""A hundred thousand readers: everybody's letter is tried, in chunks, and memory does not grow with them."""

from __future__ import annotations

import io
import time
import tracemalloc

import pytest

from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.preflight.check_campaign import check_campaign
from mailer.actions.imports.import_people import import_people
from mailer.app import App
from mailer.domain.consent import Channel, Evidence
from mailer.domain.letters.preflight import PreflightRule
from tests.support.app_helpers import ADMIN, open_list

READERS = 100_000
TOWNS = ("Köln", "Bonn", "Izmir", "")
TEXT = """---
subject: Tea
---
Hello {{ name or "you" }},

{% if town == "Köln" or town == "Bonn" %}
come to the Rhine.
{% elif town %}
is {{ town }} too far?
{% else %}
where do you live?
{% endif %}
"""


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_everybodys_letter_is_tried_in_bounded_memory(app: App) -> None:
    await open_list(app)
    rows = (f"reader{number}@example.org,Reader {number},{TOWNS[number % 4]}\n" for number in range(READERS))
    file = io.StringIO("email,name,town\n" + "".join(rows))
    evidence = Evidence(Channel.IMPORT, {"file": "people.csv"})
    await import_people(app, ADMIN, list_name="appeals", file=file, evidence=evidence, invite=False)
    del file
    number = await new_campaign(app, ADMIN, list_name="appeals", texts={"tea.md": TEXT})
    seen: list[int] = []

    tracemalloc.start()
    began = time.monotonic()
    report = await check_campaign(app, ADMIN, number, progress=seen.append)
    took = time.monotonic() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    [counted] = [one.message for one in report.results if one.rule is PreflightRule.LETTERS]
    assert counted == "letters that can be written: 100,000 of 100,000, 3 kinds"
    assert len(seen) == READERS // 1000
    assert peak < 60_000_000, f"{peak / 1e6:.0f} MB for {READERS} readers, in {took:.1f} s"
