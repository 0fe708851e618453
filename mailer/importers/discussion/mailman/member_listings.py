"""Combine the files that Mailman's list_members and `mailman members` print: each says one thing of its people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mailer.domain.address import Address
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.importers.bad_row import BadRow
from mailer.importers.discussion.mailman.listing_lines import ListingLine
from mailer.importers.discussion.mailman.listing_names import ListingName, ListingRole, ListingStatus
from mailer.importers.member_row import BY_OWNER, ReadRow, suppress
from mailer.importers.person_row import ListRole, PersonRow, SuppressionEntry

Listing = tuple[ListingName, Sequence[ListingLine]]

_ROLES = {
    ListingRole.OWNER: ListRole.OWNER,
    ListingRole.ADMINISTRATOR: ListRole.MODERATOR,
    ListingRole.MODERATOR: ListRole.MODERATOR,
    ListingRole.NONMEMBER: ListRole.NONMEMBER,
}
"""Of several roles the first counts. Of an administrator it is not known which, so that it is the lesser one."""
_OFF = (ListingStatus.BY_BOUNCE, ListingStatus.BY_ADMIN, ListingStatus.BY_USER, ListingStatus.UNKNOWN)


@dataclass(slots=True)
class _Listed:
    """What all files say of one address."""

    line: int
    address: Address
    name: str | None = None
    roles: frozenset[ListingRole] = frozenset()
    modes: frozenset[DeliveryMode] = frozenset()
    statuses: frozenset[ListingStatus] = frozenset()
    moderated: bool = False


def combine_listings(listings: Iterable[Listing]) -> Iterator[ReadRow]:
    """One row a person, and the bad lines."""
    people: dict[str, _Listed] = {}
    bad: list[tuple[int, BadRow]] = []
    enabled: list[ListingName] = []
    for name, lines in listings:
        if name.status is ListingStatus.ENABLED:
            enabled.append(name)
        for number, found in lines:
            if isinstance(found, BadRow):
                bad.append((number, found))
            else:
                address, display_name = found
                _add(people.setdefault(address.key, _Listed(number, address)), name, address, display_name)
    for one in people.values():
        yield one.line, _row(one, enabled)
    yield from bad


def _add(one: _Listed, name: ListingName, address: Address, display_name: str | None) -> None:
    if one.address.addr_spec.islower():
        one.address = address
    if display_name and (one.name is None or "?" in one.name):
        one.name = display_name
    one.roles |= {name.role}
    one.modes |= {name.mode} if name.mode else set()
    one.statuses |= {name.status} if name.status else set()
    one.moderated |= name.moderated


def _row(one: _Listed, enabled: Sequence[ListingName]) -> PersonRow:
    role = next((_ROLES[role] for role in _ROLES if role in one.roles), None)
    is_reader = ListingRole.MEMBER in one.roles
    mode = _mode(one.modes)
    suppressions, evidence = _suppressions(one, mode, enabled) if is_reader else ((), {})
    return PersonRow(
        address=one.address,
        name=one.name,
        attributes={},
        state=SubscriptionState.CONFIRMED if is_reader else None,
        delivery_mode=mode if is_reader else DeliveryMode.EACH,
        role=None if is_reader and role is ListRole.NONMEMBER else role,
        preferences={"moderated": True} if one.moderated else {},
        suppressions=suppressions,
        evidence=evidence,
        remarks=("letters of the name may be lost: Mailman printed ? for them",) if "?" in (one.name or "") else (),
    )


def _mode(modes: frozenset[DeliveryMode]) -> DeliveryMode:
    """The mode that the files agree on: each letter where they do not, the kind of digest where one says it."""
    if DeliveryMode.EACH in modes or not modes:
        return DeliveryMode.EACH
    kinds = modes - {DeliveryMode.DIGEST}
    return next(iter(kinds)) if len(kinds) == 1 else DeliveryMode.DIGEST


def _suppressions(
    one: _Listed, mode: DeliveryMode, enabled: Sequence[ListingName]
) -> tuple[tuple[SuppressionEntry, ...], dict[str, str]]:
    """Of several reasons the strictest. Who is missing where all enabled members are printed is not enabled."""
    status = next((status for status in _OFF if status in one.statuses), None)
    if status is None and ListingStatus.ANY in one.statuses:
        status = ListingStatus.UNKNOWN
    if status is None and ListingStatus.ENABLED not in one.statuses and _covers(enabled, mode):
        status = ListingStatus.UNKNOWN
    if status is None:
        return (), {}
    if status is ListingStatus.BY_BOUNCE:
        return suppress(SuppressionReason.BOUNCED), {}
    return suppress(SuppressionReason.PAUSED), dict(BY_OWNER) if status is ListingStatus.BY_ADMIN else {}


def _covers(enabled: Sequence[ListingName], mode: DeliveryMode) -> bool:
    """Whether files of enabled members print all with this mode."""
    return any(
        name.mode is None or name.mode is mode or (name.mode is DeliveryMode.DIGEST and mode is not DeliveryMode.EACH)
        for name in enabled
    )
