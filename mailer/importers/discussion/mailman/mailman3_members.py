"""Members, bans and requests of a Mailman 3 list as rows, wherever they were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.language_cell import read_language
from mailer.importers.member_row import BY_OWNER, ReadRow, clean_name, merge_people, read_address, suppress
from mailer.importers.person_row import EvidenceGrade, ListRole, PersonRow, SuppressionEntry

_BOUNCE_LIMIT = 5
"""Of a list that does not say its own."""
_MODES = {
    "regular": DeliveryMode.EACH,
    "plaintext_digests": DeliveryMode.DIGEST_PLAIN,
    "mime_digests": DeliveryMode.DIGEST_MIME,
    "summary_digests": DeliveryMode.DIGEST_MIME,
}
"""Mailman sends summary digests as MIME."""
_ROLES = {"nonmember": ListRole.NONMEMBER, "moderator": ListRole.MODERATOR, "owner": ListRole.OWNER}
_IN_TURN = ("nonmember", "member", "moderator", "owner")
_HELD = frozenset({"hold", "reject", "discard"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailman3Member:
    """What is known of one member; None for what is not."""

    email: str
    role: str
    place: str
    """For bad rows."""
    name: str | None = None
    mode: str | None = None
    status: str | None = None
    moderation_action: str | None = None
    bounce_score: int = 0
    last_bounce_at: datetime | None = None
    language: str | None = None
    own_posts: bool | None = None
    list_copy: bool | None = None
    is_verified: bool | None = None
    verified_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailman3Ban:
    """A banned address, or a pattern of addresses."""

    email: str
    place: str
    everywhere: bool = False
    """Whether the ban is of the site, not of one list."""


def read_members(members: Iterable[Mailman3Member], bounce_limit: int | None = None) -> Iterator[ReadRow]:
    """One row a person, of all roles."""
    by_role: dict[str, list[Mailman3Member]] = {role: [] for role in _IN_TURN}
    for member in members:
        by_role.setdefault(member.role, []).append(member)
    readers = {one.email.lower() for one in by_role["member"]}
    by_role["nonmember"] = [one for one in by_role["nonmember"] if one.email.lower() not in readers]
    limit = _BOUNCE_LIMIT if bounce_limit is None or bounce_limit <= 0 else bounce_limit
    return merge_people(_read_member(one, limit) for some in by_role.values() for one in some)


def _read_member(member: Mailman3Member, limit: int) -> ReadRow:
    try:
        return 0, _row(member, limit)
    except TableRefused as refusal:
        return 0, BadRow(0, str(refusal), member.place)


def _row(member: Mailman3Member, limit: int) -> PersonRow:
    is_reader = member.role == "member"
    if not is_reader and member.role not in _ROLES:
        raise TableRefused(f"{member.email} has the role {member.role!r}, which is not known")
    state = SubscriptionState.PENDING if member.is_verified is False else SubscriptionState.CONFIRMED
    suppressions, evidence = _suppressions(member, limit) if is_reader else ((), {})
    verified = {"verified_on": member.verified_at.isoformat()} if member.verified_at and is_reader else {}
    is_held = member.moderation_action in _HELD
    flags = {
        "own_posts": False if member.own_posts is False else None,
        "copies": False if member.list_copy is False else None,
        "moderated": True if is_reader and is_held else None,
        "may_post": not is_held if member.role == "nonmember" and member.moderation_action else None,
    }
    return PersonRow(
        address=read_address(member.email),
        name=clean_name(member.name),
        language=read_language(member.language) if member.language else None,
        attributes={},
        state=state if is_reader else None,
        delivery_mode=_MODES.get(member.mode or "regular", DeliveryMode.DIGEST) if is_reader else DeliveryMode.EACH,
        role=_ROLES.get(member.role),
        preferences={flag: value for flag, value in flags.items() if value is not None},
        suppressions=suppressions,
        agreed_at=member.verified_at if is_reader else None,
        evidence_grade=EvidenceGrade.STRONG if verified else EvidenceGrade.NONE,
        evidence={**evidence, **verified},
        remarks=_remarks(member, limit) if is_reader and not suppressions else (),
    )


def _remarks(member: Mailman3Member, limit: int) -> tuple[str, ...]:
    return (f"bounce score {member.bounce_score} of {limit}",) if member.bounce_score else ()


def _suppressions(member: Mailman3Member, limit: int) -> tuple[tuple[SuppressionEntry, ...], dict[str, str]]:
    """Where the status is not known, a score at the limit is a bounce: Mailman switches letters off there."""
    if member.status == "by_bounces" or (member.status is None and member.bounce_score >= limit):
        return suppress(SuppressionReason.BOUNCED, since=member.last_bounce_at), {}
    if member.status in {None, "enabled"}:
        return (), {}
    return suppress(SuppressionReason.PAUSED), dict(BY_OWNER) if member.status == "by_moderator" else {}


def read_bans(bans: Iterable[Mailman3Ban]) -> Iterator[ReadRow]:
    """One row a banned address; patterns are left behind."""
    for ban in bans:
        if ban.email.startswith("^"):
            yield 0, LeftBehind(f"{ban.place}: {ban.email}", "a pattern, not an address: shown to the owner")
            continue
        try:
            banned = suppress(SuppressionReason.BANNED, everywhere=ban.everywhere)
            yield (
                0,
                PersonRow(
                    address=read_address(ban.email), attributes={}, state=None, suppressions=banned, evidence=BY_OWNER
                ),
            )
        except TableRefused as refusal:
            yield 0, BadRow(0, str(refusal), ban.place)


def read_request(email: str, name: str | None, place: str, asked_at: datetime | None) -> ReadRow:
    """The row of somebody who asked to subscribe and was not confirmed yet."""
    try:
        return 0, PersonRow(
            address=read_address(email),
            name=clean_name(name),
            attributes={},
            state=SubscriptionState.PENDING,
            changed_at=asked_at,
        )
    except TableRefused as refusal:
        return 0, BadRow(0, str(refusal), place)
