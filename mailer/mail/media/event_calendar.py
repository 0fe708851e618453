"""An event as a calendar file (RFC 5545), which readers add to their own calendars."""

from __future__ import annotations

import hashlib
from datetime import UTC, timedelta

from icalendar import Calendar
from icalendar import Event as CalendarEntry

from mailer.domain.event import Event
from mailer.domain.letters.media import MediaFile
from mailer.mail.media.media_name import path_name, shown_name

_PRODUCT = "-//mailer//campaigns//EN"


def event_calendar(event: Event, uid: str, url: str | None = None) -> MediaFile:
    """The event as a file `NAME.ics`; the same octets for the same input.

    `uid` makes a second letter about the event change the entry that a reader has. Hours are in UTC, which every
    calendar shows in its owner's zone; an event without hours has days alone. It is no invitation that asks for an
    answer: there is no METHOD (RFC 5546), since the sender keeps no calendar.
    """
    entry = CalendarEntry()
    entry.add("uid", uid)
    # Required; the hour of writing would make each letter differ.
    entry.add("dtstamp", event.starts_at.astimezone(UTC))
    entry.add("summary", event.name)
    if event.place:
        entry.add("location", event.place)
    if event.all_day:
        first, last = event.starts_at.date(), (event.ends_at or event.starts_at).date()
        entry.add("dtstart", first)
        entry.add("dtend", last + timedelta(days=1))  # which is not part of it (section 3.6.1)
    else:
        entry.add("dtstart", event.starts_at.astimezone(UTC))
        if event.ends_at:
            entry.add("dtend", event.ends_at.astimezone(UTC))
    if url:
        entry.add("url", url)
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add_component(entry)
    content = calendar.to_ical()
    return MediaFile(
        digest=hashlib.sha256(content).hexdigest(),
        name=path_name(f"{event.name}.ics", "ics", kind="event"),
        shown_name=shown_name(f"{event.name}.ics", "ics", kind="event"),
        media_type="text/calendar",
        content=content,
        size=len(content),
    )
