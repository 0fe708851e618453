"""Which editions of a campaign somebody else has agreed to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailer.domain.draft import Approval, Draft


def approvals_of(draft: Draft, approvals: Iterable[Approval]) -> list[Approval]:
    """The valid approvals that count for an edition: of all texts, and of this one by others than its last writer."""
    return [
        one
        for one in approvals
        if one.is_valid
        and (one.language is None or (one.language == draft.language and one.approved_by != draft.changed_by))
    ]


def unapproved_languages(drafts: Sequence[Draft], approvals: Sequence[Approval], scheduled_by: str) -> list[str]:
    """The editions among these to which nobody else than who schedules has agreed."""
    by_others = [one for one in approvals if one.approved_by != scheduled_by]
    return [one.language for one in drafts if not approvals_of(one, by_others)]
