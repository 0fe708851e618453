"""What an import does to the next people of an export, by what is known of them now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from mailer.actions.imports.decide_outcome import decide_outcome
from mailer.actions.imports.import_decision import ImportDecision, ImportRules
from mailer.domain.address import mailbox_key_of
from mailer.domain.imports.import_run import Outcome
from mailer.domain.keyring import Keyring
from mailer.domain.suppression import SuppressionReason
from mailer.importers.person_row import PersonRow, SuppressionEntry
from mailer.store.imports.known_people import UNKNOWN, KnownPerson, PersonKeys, load_known, load_suppressions
from mailer.store.imports.staged_people import StagedPeople, StagedPerson


@dataclass(slots=True)
class KeyedPerson:
    """A person of an export, with the keys by which they may be known."""

    staged: StagedPerson
    keys: PersonKeys
    is_opted_out: bool
    """Whether another address of the same mailbox has, in this export, chosen to be never asked again."""
    lines: Sequence[tuple[Any, ...]]
    """The export's own consent record of them."""


@dataclass(slots=True)
class DecidedPerson:
    """A person of an export, what is known of them, and what becomes of them."""

    staged: StagedPerson
    known: KnownPerson
    decision: ImportDecision


def next_people(
    keyring: Keyring, staged: StagedPeople, people: Iterator[StagedPerson], limit: int
) -> list[KeyedPerson]:
    """The next people, with their keys; empty at the end."""
    page = list(islice(people, limit))
    lines = staged.consents([one.key for one in page]) if staged.has_consents else {}
    suppression_key, opted_out, found = keyring.suppression_key, staged.opted_out, []
    for one in page:
        key = one.key
        mailbox, own = mailbox_key_of(key), suppression_key(key)
        keys = PersonKeys(key, mailbox, own, own if mailbox == key else suppression_key(mailbox))
        is_opted_out = bool(opted_out) and mailbox in opted_out and not _opts_out(one.row)
        found.append(KeyedPerson(one, keys, is_opted_out, lines.get(key, ())))
    return found


def _opts_out(row: PersonRow) -> bool:
    return any(one.reason is SuppressionReason.NEVER for one in row.suppressions)


def decide_people(
    tx: Connection,
    mailing_list_id: int,
    people: Sequence[KeyedPerson],
    rules: ImportRules,
    evidence: Mapping[str, Any],
    now: datetime,
) -> list[DecidedPerson]:
    """What becomes of each of these people; `evidence` is what the consent record is to say of all of them.

    Of people who are new here, the export's own consent record is kept in place of that.
    """
    known_people = load_known(tx, mailing_list_id, [one.keys for one in people])
    decided = []
    for one in people:
        known = known_people.get(one.keys.address_key, UNKNOWN)
        if one.is_opted_out and not known.is_opted_out:
            known = replace(known, is_opted_out=True)
        row = one.staged.row
        own = _evidence(row, one.staged.line, evidence) if evidence and rules.with_row_evidence else evidence
        decision = decide_outcome(row, one.keys, known, rules, own, now)
        if one.lines and decision.change is not None and decision.change.is_new:
            decision.change.lines = one.lines
        decided.append(DecidedPerson(one.staged, known, decision))
    return decided


def _evidence(row: PersonRow, line: int, evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the export's own words; a key of theirs that is one of ours, too, gets a prefix."""
    made = {**evidence, "grade": row.evidence_grade}
    if line:
        made["row"] = line
    for key, value in row.evidence.items():
        made[f"peer_{key}" if key in evidence else key] = value
    return made


def decide_suppressed(
    tx: Connection, mailing_list_id: int, people: Sequence[tuple[str, Sequence[SuppressionEntry]]], now: datetime
) -> list[tuple[Outcome, list[tuple[str, SuppressionEntry]]]]:
    """What becomes of people of whom only the suppression keys are told, and the suppressions to add of each."""
    suppressed = load_suppressions(tx, mailing_list_id, [key for key, _ in people])
    decided = []
    for key, entries in people:
        known = suppressed.get(key, frozenset())
        added = [
            (key, one)
            for one in dict.fromkeys(entries)
            if (one.everywhere, one.reason) not in known and (one.until is None or one.until > now)
        ]
        decided.append((Outcome.SUPPRESSED_ONLY if added else Outcome.UNCHANGED, added))
    return decided
