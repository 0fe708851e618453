"""A test letter: a notice delivery that is written like a campaign's, with a mark before its subject."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mailer.domain.delivery import Delivery, Kind, Notice
from mailer.domain.token import NOBODY
from mailer.mail.compose.campaign_file import CampaignFile

_MARK = "[Test]"


def trial_notice(
    *,
    campaign_id: int,
    mailing_list_id: int,
    revision_id: int,
    address: str,
    suppression_key: str,
    language: str | None,
    name: str | None,
    attributes: dict[str, str],
) -> Notice:
    """The notice to queue: this text for a reader with these values, to this address."""
    values: dict[str, Any] = {"campaign": campaign_id, "name": name, "attributes": attributes, "language": language}
    return Notice(
        kind=Kind.TEST,
        address=address,
        suppression_key=suppression_key,
        language=language or "",
        mailing_list_id=mailing_list_id,
        values=values,
        revision_id=revision_id,
    )


def delivery_of_campaign(test: Delivery) -> Delivery:
    """The delivery as the campaign would have it for a reader whom no link or reply names."""
    return replace(
        test,
        campaign_id=test.values["campaign"],
        subscription_id=NOBODY,
        name=test.values["name"],
        language=test.values["language"],
        values=test.values["attributes"],
    )


def mark_as_test(campaign_file: CampaignFile) -> CampaignFile:
    """The text with the mark before its subject; the rest is the same."""
    return replace(campaign_file, subject=f"{_MARK} {campaign_file.subject}")
