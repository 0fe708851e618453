"""Whether a campaign's letters must be test-rendered before they are sent."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import is_dynamic_campaign_file
from mailer.store import campaigns, mailing_lists, revisions


def needs_check(tx: Connection, campaign_id: int) -> bool:
    """Whether letters must be test-rendered: the text depends on recipients' values, or cannot be read."""
    campaign = campaigns.get(tx, campaign_id)
    language = mailing_lists.get(tx, campaign.mailing_list_id).language
    newest = (revisions.load_source(tx, number) for number in revisions.newest_by_language(tx, campaign_id).values())
    try:
        return any(is_dynamic_campaign_file(parse_campaign_file(text, language)) for text in newest)
    except CampaignFileRefused:  # accepted by an older version
        return True
