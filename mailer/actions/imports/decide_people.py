"""What an import does to the next people of an export, by what is known of them now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mailer.actions.imports.decide_outcome import ImportDecision, ImportRules, decide_outcome
from mailer.domain.keyring import Keyring
from mailer.domain.suppression import SuppressionReason
from mailer.importers.person_row import PersonRow
from mailer.store.imports.known_people import UNKNOWN, KnownPerson, PersonKeys, load_known
from mailer.store.imports.staged_people import StagedPeople, StagedPerson


@dataclass(frozen=True, slots=True)
class KeyedPerson:
    """A person of an export, with the keys by which they may be known."""

    staged: StagedPerson
    keys: PersonKeys
    is_opted_out: bool
    """Whether another address of the same mailbox has, in this export, chosen to be never asked again."""


@dataclass(frozen=True, slots=True)
class DecidedPerson:
    """A person of an export, what is known of them, and what becomes of them."""

    staged: StagedPerson
    known: KnownPerson
    decision: ImportDecision


def find_keys(keyring: Keyring, staged: StagedPeople, people: Sequence[StagedPerson]) -> list[KeyedPerson]:
    """The keys of these people."""
    found = []
    for one in people:
        address = one.row.address
        key, mailbox = address.key, address.mailbox_key
        suppression_key = keyring.suppression_key(key)
        keys = PersonKeys(key, suppression_key, suppression_key if mailbox == key else keyring.suppression_key(mailbox))
        opted_out = bool(staged.opted_out) and mailbox in staged.opted_out and not _opts_out(one.row)
        found.append(KeyedPerson(one, keys, opted_out))
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
    """What becomes of each of these people; `evidence` is what the consent record is to say of all of them."""
    known_people = load_known(tx, mailing_list_id, [one.keys for one in people])
    decided = []
    for one in people:
        known = known_people.get(one.keys.address_key, UNKNOWN)
        if one.is_opted_out and not known.is_opted_out:
            known = replace(known, is_opted_out=True)
        row = one.staged.row
        own = _evidence(row, one.staged.line, evidence, rules) if rules.with_row_evidence else evidence
        decision = decide_outcome(row, one.keys, known, rules, own, now)
        decided.append(DecidedPerson(one.staged, known, decision))
    return decided


def _evidence(row: PersonRow, line: int, evidence: Mapping[str, Any], rules: ImportRules) -> dict[str, Any]:
    """With the export's own words; a key of theirs that is one of ours, too, gets a prefix."""
    own = {f"peer_{key}" if key in evidence else key: value for key, value in row.evidence.items()}
    place = {"row": line} if line else {}
    return {**evidence, **place, "grade": str(row.evidence_grade), **own}
