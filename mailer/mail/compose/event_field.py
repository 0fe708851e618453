"""The `event` of a campaign file: what, where, and when, by the hour or by the day."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from mailer.domain.event import Event
from mailer.domain.local_time import begins, parse_day, parse_local_time, parse_zone, to_utc
from mailer.errors import MomentRefused
from mailer.mail.compose.campaign_text_fields import plain
from mailer.mail.compose.front_matter import Field

_HOUR = re.compile(r"\d{1,2}:\d{2}(:\d{2})?", re.ASCII)


def read_event(field: Field) -> Event:
    """Its `name`, `starts` and `zone`, and where given `ends` and `place`; ManuscriptRefused names the line."""
    parts = field.complete(("name", "starts", "zone"), ("ends", "place"))
    zone = _zone(parts["zone"])
    starts_at, all_day = _moment(parts["starts"], zone, None)
    ends_at = None
    if ends := parts.get("ends"):
        ends_at, by_day = _moment(ends, zone, None if all_day else starts_at)
        if by_day != all_day:
            raise ends.refuse("of the event: give both its start and its end an hour, or neither")
        if ends_at < starts_at or (ends_at == starts_at and not all_day):
            raise ends.refuse(
                "of the event is not after its start; after midnight it is another day's, so give that, too"
            )
    return Event(
        name=plain(parts["name"]),
        place=plain(parts["place"]) if "place" in parts else "",
        starts_at=starts_at,
        ends_at=ends_at,
        all_day=all_day,
        zone=zone.key,
    )


def _zone(field: Field) -> ZoneInfo:
    try:
        return parse_zone(field.text())
    except MomentRefused as refusal:
        raise field.refuse(f"of the event: {refusal}") from None


def _moment(field: Field, zone: ZoneInfo, start: datetime | None) -> tuple[datetime, bool]:
    """The moment, and whether it is a day without an hour; an hour alone is one of the start's day."""
    text = field.text()
    try:
        if day := parse_day(text):
            return begins(day, zone), True
        if start is not None and _HOUR.fullmatch(text):
            text = f"{start.date().isoformat()}T{text.zfill(5)}"
        return to_utc(parse_local_time(text), zone).astimezone(zone), False
    except MomentRefused as refusal:
        raise field.refuse(f"of the event: {refusal}") from None
