"""Decide what an import does to one person: the stricter wins, and what the person said here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailer.actions.imports.import_decision import ImportDecision, ImportRules
from mailer.domain.consent import AGREED_AT, ConsentAct
from mailer.domain.imports.import_run import Outcome
from mailer.domain.subscription import DeliveryMode, SubscriptionState, may_ask_again
from mailer.domain.suppression import LIFTABLE_REASONS, SuppressionReason
from mailer.importers.person_row import PersonRow, SuppressionEntry
from mailer.store.imports.changed_people import PersonChange, SubscriptionChange
from mailer.store.imports.known_people import UNKNOWN, KnownPerson, PersonKeys

_PENDING, _CONFIRMED, _UNSUBSCRIBED = SubscriptionState


@dataclass(slots=True)
class _Case:
    """One person of an import, and what is known of them."""

    row: PersonRow
    keys: PersonKeys
    known: KnownPerson
    rules: ImportRules
    evidence: Mapping[str, Any]
    now: datetime
    wanted: tuple[SuppressionEntry, ...]
    """Suppressions of the row, without pauses that are over."""
    added: tuple[SuppressionEntry, ...]
    """Those that are to be added."""


def decide_outcome(
    row: PersonRow,
    keys: PersonKeys,
    known: KnownPerson,
    rules: ImportRules,
    evidence: Mapping[str, Any],
    now: datetime,
) -> ImportDecision:
    """What becomes of the person, who is known here as `known` says; `evidence` is for the consent record."""
    if known is UNKNOWN and row.state is not None and not row.suppressions and not rules.invite:
        return _decide_unknown(row, row.state, keys, evidence, now)
    wanted = tuple(one for one in row.suppressions if one.until is None or one.until > now)
    added = tuple(one for one in wanted if is_to_be_added(one, known))
    case = _Case(row, keys, known, rules, evidence, now, wanted, added)
    if row.state is None:
        return _decide_nonreader(case)
    if row.has_left or (rules.invite and wanted):
        return _decide_departed(case)
    return _decide_reader(case)


def _decide_unknown(
    row: PersonRow, state: SubscriptionState, keys: PersonKeys, evidence: Mapping[str, Any], now: datetime
) -> ImportDecision:
    """Of most people nothing is known: what the functions below do, in a quarter of the time."""
    at, agreed_at, mode = row.changed_at, row.agreed_at, row.delivery_mode
    subscription = SubscriptionChange(
        state, row.attributes, None if mode is DeliveryMode.EACH else mode, now if at is None or at > now else at
    )
    act = _act_of_new(state, row)
    if agreed_at is not None and act is not None:
        evidence = {**evidence, AGREED_AT: agreed_at.isoformat()}
    details = (row.name, row.language, row.zone)
    change = PersonChange(row.address, keys, UNKNOWN, details, subscription, (), act, evidence if act else {})
    return ImportDecision(Outcome(state.value), change)


def _act_of_new(state: SubscriptionState, row: PersonRow) -> ConsentAct | None:
    if state is _UNSUBSCRIBED:
        return ConsentAct.DEPARTED
    # Who waits was on the list before, or has agreed to nothing.
    return ConsentAct.IMPORTED if state is _CONFIRMED or row.agreed_at is not None else None


def is_to_be_added(one: SuppressionEntry, known: KnownPerson) -> bool:
    """Whether a suppression of a file is not known yet, and not older than a confirmation here."""
    if (one.everywhere, one.reason) in known.suppressions:
        return False
    if one.reason is SuppressionReason.NEVER:
        return True
    return not is_newer(known.confirmed_any_at if one.everywhere else known.confirmed_at, one.since)


def is_newer(here: datetime | None, in_file: datetime | None) -> bool:
    """Whether what the person said here is as new as what the file says of them; what has no date is older."""
    return here is not None and (in_file is None or here >= in_file)


def _decide_nonreader(case: _Case) -> ImportDecision:
    if not case.wanted:
        return ImportDecision(Outcome.NOT_TAKEN_OVER)
    if not case.added:
        return _nothing(case)
    if case.known.state is None:
        return ImportDecision(Outcome.SUPPRESSED_ONLY, _change(case, None, None))
    return _suppressed_too(case)


def _suppressed_too(case: _Case) -> ImportDecision:
    return ImportDecision(Outcome.CHANGED, _change(case, None, ConsentAct.DEPARTED))


def _nothing(case: _Case) -> ImportDecision:
    """Nothing is written: the file says what is known, or what is known stands against it."""
    same = all((one.everywhere, one.reason) in case.known.suppressions for one in case.wanted)
    return ImportDecision(Outcome.UNCHANGED if same else Outcome.OVERRULED)


def _decide_departed(case: _Case) -> ImportDecision:
    row, known = case.row, case.known
    if known.state is _UNSUBSCRIBED:
        return _suppressed_too(case) if case.added else _nothing(case)
    if known.state is not None:
        if is_newer(known.confirmed_at, row.changed_at):
            return ImportDecision(Outcome.OVERRULED)
        ended = SubscriptionChange(_UNSUBSCRIBED, known.attributes, known.delivery_mode, case.now)
        return ImportDecision(Outcome.UNSUBSCRIBED, _change(case, ended, ConsentAct.DEPARTED))
    if known.subscriber_id is None and any(everywhere for everywhere, _ in known.suppressions):
        # Who opted out and was erased is not added again.
        return ImportDecision(Outcome.OVERRULED)
    return ImportDecision(
        Outcome.UNSUBSCRIBED, _change(case, _new_subscription(case, _UNSUBSCRIBED), ConsentAct.DEPARTED, details=True)
    )


def _decide_reader(case: _Case) -> ImportDecision:
    row, known, rules = case.row, case.known, case.rules
    own = {(one.everywhere, one.reason) for one in case.wanted}
    if known.is_opted_out or known.suppressions - own or known.state is _UNSUBSCRIBED:
        return _overruled(case)
    if rules.invite and known.state is not _CONFIRMED and may_ask_again(known.asked_at, case.now):
        change = _change(case, _as_pending(case), None, details=True)
        return ImportDecision(Outcome.PENDING, change, is_invited=True)
    if known.state is None:
        return ImportDecision(_new_outcome(case), _new_reader(case, row.state or _PENDING))
    if known.state is _PENDING and row.state is _CONFIRMED and not rules.invite:
        if not rules.on_own_word:
            return _overruled(case)
        confirmed = SubscriptionChange(_CONFIRMED, known.attributes | row.attributes, _mode(case), case.now)
        return ImportDecision(_new_outcome(case), _change(case, confirmed, ConsentAct.IMPORTED, details=True))
    if known.state is _CONFIRMED and row.state is _PENDING and not rules.invite:
        return _decide_unconfirmed(case)
    return _decide_known(case)


def _overruled(case: _Case) -> ImportDecision:
    if case.added and case.known.state is not None:
        return _suppressed_too(case)
    return ImportDecision(Outcome.OVERRULED)


def _decide_unconfirmed(case: _Case) -> ImportDecision:
    """Confirmed here, and pending in the file: stays confirmed by the person's own word only."""
    known = case.known
    if known.confirmed_at is not None:
        return _overruled(case)
    waiting = SubscriptionChange(_PENDING, known.attributes | case.row.attributes, _mode(case), case.now)
    return ImportDecision(Outcome.PENDING, _change(case, waiting, ConsentAct.DEPARTED, details=True))


def _decide_known(case: _Case) -> ImportDecision:
    known = case.known
    attributes, mode = known.attributes | case.row.attributes, _mode(case)
    subscription = None
    if attributes != known.attributes or mode != known.delivery_mode:
        subscription = SubscriptionChange(known.state or _PENDING, attributes, mode, known.changed_at or case.now)
    details = _details(case)
    if subscription is None and not case.added and details == (known.name, known.language, known.zone):
        return _nothing(case)
    act = ConsentAct.DEPARTED if case.added else None
    return ImportDecision(Outcome.CHANGED, _change(case, subscription, act, details=True))


def _new_outcome(case: _Case) -> Outcome:
    if case.row.state is _PENDING:
        return Outcome.PENDING
    reasons = {reason for _, reason in case.known.suppressions} | {one.reason for one in case.added}
    if not reasons:
        return Outcome.CONFIRMED
    return Outcome.PAUSED if reasons == {SuppressionReason.PAUSED} else Outcome.SUPPRESSED


def _new_reader(case: _Case, state: SubscriptionState) -> PersonChange:
    return _change(case, _new_subscription(case, state), _act_of_new(state, case.row), details=True)


def _new_subscription(case: _Case, state: SubscriptionState) -> SubscriptionChange:
    changed_at = case.row.changed_at
    return SubscriptionChange(
        state, case.row.attributes, _mode(case), case.now if changed_at is None else min(changed_at, case.now)
    )


def _as_pending(case: _Case) -> SubscriptionChange:
    known = case.known
    return SubscriptionChange(
        _PENDING, known.attributes | case.row.attributes, _mode(case), known.changed_at or case.now
    )


def _mode(case: _Case) -> str | None:
    mode = case.row.delivery_mode
    return case.known.delivery_mode if mode is DeliveryMode.EACH else mode


def _details(case: _Case) -> tuple[str | None, str | None, str | None]:
    """Name, language and zone as they are to be: nothing known is overwritten with nothing, nor what they said here."""
    row, known = case.row, case.known
    if known.confirmed_any_at is not None:
        return known.name or row.name, known.language or row.language, known.zone or row.zone
    return row.name or known.name, row.language or known.language, row.zone or known.zone


def _change(
    case: _Case, subscription: SubscriptionChange | None, act: ConsentAct | None, *, details: bool = False
) -> PersonChange:
    evidence = _evidence(case, act) if act else {}
    return PersonChange(
        case.row.address, case.keys, case.known, _details(case) if details else None, subscription, case.added, act,
        evidence,
    )  # fmt: skip


def _evidence(case: _Case, act: ConsentAct) -> Mapping[str, Any]:
    row = case.row
    if not row.suppressions and row.agreed_at is None:
        return case.evidence
    evidence = dict(case.evidence)
    if row.agreed_at is not None:
        evidence[AGREED_AT] = row.agreed_at.isoformat()
    if row.suppressions:
        evidence["suppressed"] = "; ".join(map(str, row.suppressions))
        ended = act is ConsentAct.DEPARTED and {one.reason for one in row.suppressions} <= set(LIFTABLE_REASONS)
        if ended and row.agreed_at is not None:
            evidence["was"] = str(_CONFIRMED)
    return evidence
