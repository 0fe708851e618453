"""The `event` of a campaign file: what, where, and when, by the hour or by the day."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from mailer.domain.event import Event
from mailer.domain.local_time import parse_day, parse_local_time, parse_zone, start_of_day, to_utc
from mailer.errors import TimeRefused
from mailer.mail.compose.campaign_text_fields import read_fixed_line
from mailer.mail.compose.front_matter import FrontMatterField

_HOUR = re.compile(r"\d{1,2}:\d{2}(:\d{2})?", re.ASCII)


def parse_event(field: FrontMatterField) -> Event:
    """The event with its `name`, `starts` and `zone`, and if given `ends` and `place`.

    Raises CampaignFileRefused with the line of a mistake.
    """
    parts = field.require_keys(("name", "starts", "zone"), ("ends", "place"))
    zone = _parse_zone_field(parts["zone"])
    starts_at, all_day = _parse_time_field(parts["starts"], zone, None)
    ends_at = None
    if ends := parts.get("ends"):
        ends_at, ends_all_day = _parse_time_field(ends, zone, None if all_day else starts_at)
        if ends_all_day != all_day:
            raise ends.error("of the event: give both its start and its end an hour, or neither")
        if ends_at < starts_at or (ends_at == starts_at and not all_day):
            raise ends.error(
                "of the event is not after its start; after midnight it is another day's, so give that, too"
            )
    return Event(
        name=read_fixed_line(parts["name"]),
        place=read_fixed_line(parts["place"]) if "place" in parts else "",
        starts_at=starts_at,
        ends_at=ends_at,
        all_day=all_day,
        zone=zone.key,
    )


def _parse_zone_field(field: FrontMatterField) -> ZoneInfo:
    try:
        return parse_zone(field.text())
    except TimeRefused as refusal:
        raise field.error(f"of the event: {refusal}") from None


def _parse_time_field(field: FrontMatterField, zone: ZoneInfo, start: datetime | None) -> tuple[datetime, bool]:
    """(time in `zone`, whether it is a day without an hour); an hour alone is on the day of `start`."""
    text = field.text()
    try:
        if day := parse_day(text):
            return start_of_day(day, zone), True
        if start is not None and _HOUR.fullmatch(text):
            text = f"{start.date().isoformat()}T{text.zfill(5)}"
        return to_utc(parse_local_time(text), zone).astimezone(zone), False
    except TimeRefused as refusal:
        raise field.error(f"of the event: {refusal}") from None
