"""Every POST of the console: the way back, the permission, the line in the audit log, and a form to try it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.draft import campaign_digest, text_digest
from mailer.mail.templates.example_templates import read_example
from tests.support.console_helpers import furnished_texts


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsoleAct:
    """What a POST route promises."""

    back: str
    """`undo: how`, `typed: the field with the number`, or `harmless: why`."""
    permission: Permission | None
    """None where everybody who is signed in may, or nobody need be."""
    act: Act | None
    """None only where nothing is changed that somebody might ask about."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """A form that is accepted."""
    campaign: str = "draft"
    """The campaign it is tried on, by what became of it."""
    language: str = "en"
    """The edition it is tried on."""
    version: str = "0"
    """The version it is tried on."""


def digest_of(name: str) -> str:
    """What the review page of a furnished campaign says of its texts."""
    return campaign_digest(furnished_texts(name))


CONSOLE_ACTS: dict[str, ConsoleAct] = {
    "/console/campaigns/new": ConsoleAct(
        back="undo: cancel the draft",
        permission=Permission.WRITE,
        act=Act.ADD_CAMPAIGN,
        fields={"list": "appeals"},
    ),
    "/console/campaigns/{campaign_id:int}/again": ConsoleAct(
        back="undo: cancel the draft", permission=Permission.WRITE, act=Act.ADD_CAMPAIGN, campaign="sent"
    ),
    "/console/check": ConsoleAct(back="harmless: it only looks", permission=Permission.MANAGE_SITE, act=None),
    "/console/sign-in": ConsoleAct(back="harmless: it asks for a letter", permission=None, act=None),
    "/console/sign-in/code": ConsoleAct(back="harmless: it lets in whoever has the letter", permission=None, act=None),
    "/console/sign-in/link/{word}": ConsoleAct(
        back="harmless: it lets in whoever has the link", permission=None, act=None
    ),
    "/console/set-up/{word}": ConsoleAct(back="harmless: it makes the first owner", permission=None, act=None),
    "/console/campaigns/{campaign_id:int}/review/schedule": ConsoleAct(
        back="undo: take it back",
        permission=Permission.SEND,
        act=Act.SCHEDULE_CAMPAIGN,
        fields={"date": "2027-03-20", "time": "09:00", "zone": "Europe/Berlin", "digest": digest_of("draft")},
    ),
    "/console/campaigns/{campaign_id:int}/check": ConsoleAct(
        back="harmless: it only looks", permission=Permission.WRITE, act=None
    ),
    "/console/campaigns/{campaign_id:int}/review/test": ConsoleAct(
        back="harmless: it goes to whom the list names", permission=Permission.WRITE, act=Act.SEND_TEST
    ),
    "/console/campaigns/{campaign_id:int}/review/approve": ConsoleAct(
        back="undo: a changed text is not approved",
        permission=Permission.WRITE,
        act=Act.APPROVE_CAMPAIGN,
        fields={"digest": digest_of("draft")},
    ),
    "/console/campaigns/{campaign_id:int}/review/correct": ConsoleAct(
        back="undo: correct it again",
        permission=Permission.SEND,
        act=Act.CORRECT_CAMPAIGN,
        campaign="paused",
        fields={"digest": digest_of("paused")},
    ),
    "/console/campaigns/{campaign_id:int}/live/pause": ConsoleAct(
        back="undo: resume it", permission=Permission.SEND, act=Act.PAUSE_CAMPAIGN, campaign="sending"
    ),
    "/console/campaigns/{campaign_id:int}/live/resume": ConsoleAct(
        back="undo: pause it", permission=Permission.SEND, act=Act.RESUME_CAMPAIGN, campaign="paused"
    ),
    "/console/campaigns/{campaign_id:int}/live/unschedule": ConsoleAct(
        back="undo: schedule it", permission=Permission.SEND, act=Act.UNSCHEDULE_CAMPAIGN, campaign="scheduled"
    ),
    "/console/campaigns/{campaign_id:int}/live/cancel": ConsoleAct(
        back="typed: typed",
        permission=Permission.SEND,
        act=Act.CANCEL_CAMPAIGN,
        campaign="paused",
        fields={"typed": "30"},
    ),
    "/console/lists/{name}/design": ConsoleAct(
        back="undo: the same form",
        permission=Permission.MANAGE_LIST,
        act=Act.CHANGE_LIST,
        fields={"accent_color": "#aa2255"},
    ),
    "/console/me": ConsoleAct(
        back="undo: the same form",
        permission=None,
        act=Act.CHANGE_ORGANISER,
        fields={"name": "Ada of the forum", "language": "de", "zone": "Europe/Istanbul"},
    ),
    "/console/me/revoke": ConsoleAct(
        back="undo: that browser signs in again", permission=None, act=Act.REVOKE_SESSION, fields={"session_id": "2"}
    ),
    "/console/me/sign-out-elsewhere": ConsoleAct(
        back="undo: those browsers sign in again", permission=None, act=Act.REVOKE_SESSION
    ),
    "/console/settings/organisers/give": ConsoleAct(
        back="undo: the role can be taken again",
        permission=Permission.MANAGE_LIST,
        act=Act.ADD_ORGANISER,
        fields={"address": "nora@example.org", "role": "viewer", "list": "appeals"},
    ),
    "/console/settings/organisers/take": ConsoleAct(
        back="undo: the role can be given again",
        permission=Permission.MANAGE_LIST,
        act=Act.TAKE_ROLE,
        fields={"address": "emma@example.org", "role": "editor", "list": "appeals"},
    ),
    "/console/settings/templates/_new": ConsoleAct(
        back="undo: remove it",
        permission=Permission.MANAGE_SITE,
        act=Act.ADD_TEMPLATE,
        fields={"name": "orchard", "source": read_example()},
    ),
    "/console/settings/templates/_try": ConsoleAct(
        back="harmless: it shows a sample letter and keeps nothing",
        permission=Permission.MANAGE_SITE,
        act=None,
        fields={"source": read_example(), "language": "tr"},
    ),
    "/console/settings/templates/{template}": ConsoleAct(
        back="undo: an earlier version can be kept again",
        permission=Permission.MANAGE_SITE,
        act=Act.ADD_TEMPLATE,
        fields={"source": read_example(is_mjml=True)},
    ),
    "/console/settings/templates/{template}/remove": ConsoleAct(
        back="undo: keeping it again", permission=Permission.MANAGE_SITE, act=Act.REMOVE_TEMPLATE
    ),
    "/console/settings/webmentions/{mention_id:int}/accept": ConsoleAct(
        back="undo: reject it", permission=Permission.WRITE, act=Act.ACCEPT_WEBMENTION
    ),
    "/console/settings/webmentions/{mention_id:int}/reject": ConsoleAct(
        back="undo: accept it", permission=Permission.WRITE, act=Act.REJECT_WEBMENTION
    ),
    "/console/settings/sending/check": ConsoleAct(
        back="harmless: it only looks", permission=Permission.MANAGE_SITE, act=None
    ),
    "/console/campaigns/{campaign_id:int}/report/retry": ConsoleAct(
        back="undo: pause it", permission=Permission.SEND, act=Act.RETRY_FAILED, campaign="sent"
    ),
    "/console/campaigns/{campaign_id:int}/report/settle": ConsoleAct(
        back="typed: typed",
        permission=Permission.SEND,
        act=Act.SETTLE_UNCERTAIN,
        campaign="uncertain",
        fields={"typed": "1", "decision": "accepted"},
    ),
    "/console/campaigns/{campaign_id:int}/archive": ConsoleAct(
        back="undo: the same button puts it back",
        permission=Permission.SEND,
        act=Act.ARCHIVE_CAMPAIGN,
        campaign="sent",
        fields={"archived": "off"},
    ),
    "/console/campaigns/{campaign_id:int}/report/export": ConsoleAct(
        back="harmless: it is read only", permission=Permission.SEE_PEOPLE, act=Act.EXPORT_RECIPIENTS, campaign="sent"
    ),
    "/console/lists/_new": ConsoleAct(
        back="harmless: nobody is on it yet",
        permission=Permission.MANAGE_SITE,
        act=Act.ADD_LIST,
        fields={
            "name": "walks",
            "title": "Walks",
            "owner": "ada@example.org",
            "language": "en",
            "zone": "Europe/Berlin",
        },
    ),
    "/console/lists/{name}/change": ConsoleAct(
        back="undo: change it back; the audit log has what was before",
        permission=Permission.MANAGE_LIST,
        act=Act.CHANGE_LIST,
        fields={
            "title": "Open Letters",
            "owner": "ada@example.org",
            "language": "en",
            "zone": "Europe/Istanbul",
            "testers": "emma@example.org\r\nsamir@example.org",
            "hard_after": "2",
            "soft_limit": "4",
        },
    ),
    "/console/sign-out": ConsoleAct(back="harmless: one signs in again", permission=None, act=Act.SIGN_OUT),
    "/console/campaigns/{campaign_id:int}/write/{language}": ConsoleAct(
        back="undo: versions",
        permission=Permission.TRANSLATE,
        act=Act.WRITE_CAMPAIGN,
        fields={"version": "0", "subject": "Apples", "body": "The orchard is open."},
    ),
    "/console/campaigns/{campaign_id:int}/write/{language}/media": ConsoleAct(
        back="undo: take it out of the text",
        permission=Permission.TRANSLATE,
        act=Act.WRITE_CAMPAIGN,
        fields={"version": "0", "subject": "Apples", "body": "The orchard is open.", "remove": "/media/none"},
    ),
    "/console/campaigns/{campaign_id:int}/write/{language}/versions/{version:int}/restore": ConsoleAct(
        back="undo: what it was is a version, too",
        permission=Permission.TRANSLATE,
        act=Act.WRITE_CAMPAIGN,
        fields={"seen": "1"},
        campaign="paused",
    ),
    "/console/campaigns/{campaign_id:int}/preview/{language}": ConsoleAct(
        back="harmless: it shows a letter and stores nothing", permission=Permission.READ, act=None
    ),
    "/console/campaigns/{campaign_id:int}/write/{language}/up-to-date": ConsoleAct(
        back="harmless: writing in the first edition makes it stale again", permission=Permission.TRANSLATE, act=None
    ),
    "/console/campaigns/{campaign_id:int}/write/{language}/approve": ConsoleAct(
        back="undo: a changed text is not approved",
        permission=Permission.TRANSLATE,
        act=Act.APPROVE_CAMPAIGN,
        fields={"digest": text_digest(furnished_texts("draft")["en"])},
    ),
    "/console/campaigns/{campaign_id:int}/editions/choose": ConsoleAct(
        back="undo: choose the others again",
        permission=Permission.SEND,
        act=Act.CHOOSE_EDITIONS,
        fields={"sent": "tr"},
    ),
    "/console/campaigns/{campaign_id:int}/rest": ConsoleAct(
        back="undo: cancel the draft", permission=Permission.WRITE, act=Act.ADD_CAMPAIGN, campaign="cancelled"
    ),
    "/console/campaigns/{campaign_id:int}/write/{language}/remove": ConsoleAct(
        back="typed: typed",
        permission=Permission.WRITE,
        act=Act.REMOVE_EDITION,
        fields={"typed": "10"},
        language="tr",
    ),
    "/console/campaigns/{campaign_id:int}/editions": ConsoleAct(
        back="undo: removing it", permission=Permission.WRITE, act=Act.ADD_EDITION, fields={"language": "ar"}
    ),
}
"""By path, as in CONSOLE_ROUTES."""
