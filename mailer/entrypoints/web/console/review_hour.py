"""The hour of a letter as its form has it: read, checked, and proposed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from starlette.datastructures import FormData

from mailer.actions.campaigns.review import ReviewView
from mailer.domain.campaign import CampaignState
from mailer.domain.local_time import parse_duration, parse_local_time, parse_zone, to_utc
from mailer.errors import TimeRefused

_MOST_CHARACTERS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewHour:
    """What the fields of the hour hold, and what it means."""

    date: str
    time: str
    zone: str
    is_now: bool = False
    over: str = ""
    """Over which span the letters are spread, such as 6h; empty for as fast as possible."""
    at: datetime | None = None
    """The instant in UTC; None where there is none."""
    is_past: bool = False
    problem: str = ""
    """Why the hour cannot be had, in English; empty if it can."""

    @property
    def local_time(self) -> str:
        """Date and time in ISO 8601."""
        return f"{self.date}T{self.time}"

    @property
    def span(self) -> timedelta:
        """Over how long the letters are spread; none where that cannot be read."""
        try:
            return parse_duration(self.over) if self.over else timedelta()
        except TimeRefused:
            return timedelta()

    def refused(self, problem: str) -> ReviewHour:
        """The same fields with what is wrong."""
        return replace(self, problem=problem)

    def checked(self, now: datetime) -> ReviewHour:
        """The same fields with the instant they mean, or with what is wrong with them."""
        try:
            at = to_utc(parse_local_time(self.local_time), parse_zone(self.zone))
        except TimeRefused as refusal:
            return replace(self, problem=str(refusal))
        is_past = at < now
        return replace(self, at=at, is_past=is_past, problem="past" if is_past else "")


def hour_from_form(form: FormData, now: datetime) -> ReviewHour:
    """The hour that a form has."""
    given = {
        name: str(form.get(name, "")).strip()[:_MOST_CHARACTERS] for name in ("date", "time", "zone", "over", "when")
    }
    hour = ReviewHour(
        date=given["date"],
        time=given["time"],
        zone=given["zone"],
        over=given["over"],
        is_now=given["when"] == "now",
    )
    return replace(hour, at=now) if hour.is_now else hour.checked(now)


def hour_of_view(view: ReviewView) -> ReviewHour:
    """The hour to propose: a scheduled campaign's own, else the suggested one."""
    date, _, time = view.suggested_local_time.partition("T")
    campaign = view.campaign
    over = f"{campaign.over_s}s" if campaign.over_s and campaign.state is CampaignState.SCHEDULED else ""
    hour = ReviewHour(date=date, time=time, zone=view.suggested_zone, over=over)
    return hour.checked(datetime.min.replace(tzinfo=UTC))
