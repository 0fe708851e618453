"""Each provider's events are parsed: the delivery, the reason and the severity of a bounce; complaints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.bounce import BounceReason, FeedbackKind, Severity
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.keyring import Keyring
from mailer.domain.provider_call import VerifiedCall
from mailer.domain.site import Site
from mailer.mail.provider_events.event_builder import EventBuilder
from mailer.mail.provider_events.parse_events import EVENT_PARSERS, parse_events
from tests.support.provider_calls import (
    NOW,
    brevo_bounce,
    mailgun_failed,
    mailjet_bounce,
    postmark_bounce,
    sendgrid_bounce,
    ses_bounce,
)

SITE = Site(
    name="Open Letters",
    domain="lists.example.org",
    url="https://lists.example.org",
    owner="owner@example.net",
    keyring=Keyring(b"p" * 32, ((1, b"k" * 32),)),
)
PATH, MESSAGE_ID = SITE.return_path(7), SITE.message_id(7)
HARD, SOFT, SENDER = Severity.HARD, Severity.SOFT, Severity.SENDER_SIDE
BOUNCES = {
    "ses": ses_bounce(source=PATH, message_id=MESSAGE_ID),
    "mailgun": mailgun_failed(sender=PATH, message_id=MESSAGE_ID.strip("<>")),
    "postmark": postmark_bounce(Content=f"550 5.1.1\nMessage-ID: {MESSAGE_ID}\n"),
    "sendgrid": [sendgrid_bounce(message_id=MESSAGE_ID)],
    "brevo": brevo_bounce(message_id=MESSAGE_ID),
    "mailjet": [mailjet_bounce()],
}


def parse_payload(provider: str, payload: Any) -> tuple[DeliveryFeedback, ...]:
    builder = EventBuilder(provider=provider, site=SITE, now=NOW)
    if provider == "mailgun" and isinstance(payload, dict) and "event-data" not in payload:
        payload = {"event-data": payload}
    return parse_events(VerifiedCall(dedup_key="x", payload=payload), builder)


def classify_payload(provider: str, payload: Any) -> tuple[BounceReason, Severity]:
    (one,) = parse_payload(provider, payload)
    assert one.bounce is not None
    assert one.kind is FeedbackKind.BOUNCE
    return one.bounce.reason, one.bounce.severity


@pytest.mark.parametrize("provider", BOUNCES)
def test_a_bounce_has_the_address_the_time_and_the_reason(provider):
    (feedback,) = parse_payload(provider, BOUNCES[provider])

    assert (feedback.kind, feedback.address, feedback.channel) == (FeedbackKind.BOUNCE, "rosa@example.org", provider)
    assert feedback.at.replace(microsecond=0) == datetime(2027, 3, 1, 7, 59, 38, tzinfo=UTC)
    assert feedback.bounce is not None
    assert (feedback.bounce.reason, feedback.bounce.severity, feedback.bounce.address) == (
        BounceReason.UNKNOWN_USER,
        HARD,
        "rosa@example.org",
    )
    assert feedback.bounce.status == "5.1.1"
    assert feedback.bounce.diagnostic.startswith("550 5.1.1")


@pytest.mark.parametrize(
    ("provider", "delivery_id", "message_id"),
    [
        ("ses", 7, MESSAGE_ID),
        ("mailgun", 7, MESSAGE_ID.strip("<>")),
        ("postmark", None, MESSAGE_ID),
        ("sendgrid", None, MESSAGE_ID),
        ("brevo", None, MESSAGE_ID),
        ("mailjet", None, None),
    ],
)
def test_a_delivery_is_found_by_our_return_path_or_our_message_id(provider, delivery_id, message_id):
    (feedback,) = parse_payload(provider, BOUNCES[provider])

    assert (feedback.delivery_id, feedback.message_id) == (delivery_id, message_id)


@pytest.mark.parametrize(
    "sender",
    [
        PATH[:-30] + ("b" if PATH[-30] == "a" else "a") + PATH[-29:],
        PATH.replace("lists.example.org", "example.net"),
        SITE.return_path(7).replace("bounce+", "appeals-leave+"),
        "bounce@lists.example.org",
        "mallory@lists.example.org",
        "",
    ],
)
def test_a_forged_return_path_names_no_delivery(sender):
    (feedback,) = parse_payload("ses", ses_bounce(source=sender))

    assert feedback.delivery_id is None


@pytest.mark.parametrize(
    ("kind", "detail", "diagnostic", "status", "expected"),
    [
        ("Permanent", "General", "", "", (BounceReason.UNKNOWN_USER, HARD)),
        ("Permanent", "NoEmail", "", "", (BounceReason.UNCLEAR, SOFT)),
        ("Permanent", "General", "smtp; 554 5.7.1 blocked using a block list", "5.7.1", (BounceReason.BLOCKED, SENDER)),
        ("Permanent", "Suppressed", "Amazon SES has suppressed sending", "5.1.1", (BounceReason.DISABLED, HARD)),
        ("Permanent", "OnAccountSuppressionList", "", "", (BounceReason.DISABLED, HARD)),
        ("Transient", "MailboxFull", "smtp; 552 5.2.2 over quota", "5.2.2", (BounceReason.FULL, SOFT)),
        ("Transient", "ContentRejected", "", "", (BounceReason.CONTENT, SENDER)),
        ("Transient", "General", "smtp; 550 5.1.1 user unknown", "5.1.1", (BounceReason.UNKNOWN_USER, SOFT)),
        ("Undetermined", "Undetermined", "", "", (BounceReason.UNCLEAR, SOFT)),
    ],
)
def test_ses_bounce_types_decide_where_they_are_clearer_than_the_reply(kind, detail, diagnostic, status, expected):
    recipient = {"emailAddress": "rosa@example.org", "status": status, "diagnosticCode": diagnostic}

    feedback = ses_bounce(bounceType=kind, bounceSubType=detail, bouncedRecipients=[recipient])

    assert classify_payload("ses", feedback) == expected


def test_ses_may_report_several_recipients_and_use_the_key_of_events():
    recipients = [{"emailAddress": "Rosa <rosa@example.org>"}, {"emailAddress": "emma@example.org"}, {}, 7]
    payload = ses_bounce(bouncedRecipients=recipients)
    payload["eventType"] = payload.pop("notificationType")

    assert [one.address for one in parse_payload("ses", payload)] == ["rosa@example.org", "emma@example.org", None]


@pytest.mark.parametrize(
    ("provider", "payload", "kind"),
    [
        ("ses", {"complaint": {"complaintFeedbackType": "not-spam"}}, "not-spam"),
        ("ses", {"complaint": {"complaintFeedbackType": None, "complaintSubType": None}}, "abuse"),
        ("mailgun", mailgun_failed(event="complained"), "abuse"),
        ("mailgun", mailgun_failed(event="unsubscribed"), "opt-out"),
        ("mailgun", mailgun_failed(reason="suppress-complaint"), "abuse"),
        ("mailgun", mailgun_failed(reason="suppress-unsubscribe"), "opt-out"),
        ("postmark", postmark_bounce(RecordType="SpamComplaint", kind="SpamComplaint"), "abuse"),
        ("postmark", postmark_bounce(kind="Unsubscribe"), "opt-out"),
        ("sendgrid", sendgrid_bounce(event="spamreport"), "abuse"),
        ("sendgrid", sendgrid_bounce(event="unsubscribe"), "opt-out"),
        ("sendgrid", sendgrid_bounce(event="group_unsubscribe", asm_group_id=10), "opt-out"),
        ("sendgrid", sendgrid_bounce(event="dropped", reason="Unsubscribed Address"), "opt-out"),
        ("sendgrid", sendgrid_bounce(event="dropped", reason="Spam Reporting Address"), "abuse"),
        ("brevo", brevo_bounce(event="spam"), "abuse"),
        ("brevo", brevo_bounce(event="unsubscribed"), "opt-out"),
        ("mailjet", mailjet_bounce(event="spam", source="JMRPP"), "abuse"),
        ("mailjet", mailjet_bounce(event="unsub", mj_list_id=1), "opt-out"),
        ("mailjet", mailjet_bounce(event="blocked", error="spam reporter"), "abuse"),
    ],
)
def test_complaints_are_found_and_unsubscribing_at_the_provider_is_an_opt_out(provider, payload, kind):
    if provider == "ses":
        payload["complaint"]["complainedRecipients"] = [{"emailAddress": "rosa@example.org"}]
        payload = {"notificationType": "Complaint", "mail": ses_bounce(source=PATH)["mail"]} | payload

    (feedback,) = parse_payload(provider, payload)

    assert (feedback.kind, feedback.complaint, feedback.address, feedback.bounce) == (
        FeedbackKind.COMPLAINT,
        kind,
        "rosa@example.org",
        None,
    )


def test_unsubscribing_from_all_topics_at_ses_is_an_opt_out():
    payload = {"eventType": "Subscription", "mail": ses_bounce(source=PATH)["mail"]}
    left = {"subscription": {"newTopicPreferences": {"unsubscribeAll": True}}}
    chose = {"subscription": {"newTopicPreferences": {"unsubscribeAll": False}}}

    assert [(one.complaint, one.delivery_id) for one in parse_payload("ses", payload | left)] == [("opt-out", 7)]
    assert parse_payload("ses", payload | chose) == ()


@pytest.mark.parametrize(
    ("why", "origin", "kind"),
    [
        ("ManualSuppression", "Recipient", FeedbackKind.COMPLAINT),
        ("SpamComplaint", "Recipient", FeedbackKind.COMPLAINT),
        ("HardBounce", "Recipient", FeedbackKind.BOUNCE),
        ("ManualSuppression", "Customer", None),
        ("ManualSuppression", "Admin", None),
    ],
)
def test_a_suppression_at_postmark_counts_unless_an_organiser_made_it(why, origin, kind):
    payload = {
        "RecordType": "SubscriptionChange",
        "Recipient": "rosa@example.org",
        "Origin": origin,
        "SuppressSending": True,
        "SuppressionReason": why,
        "ChangedAt": "2027-03-01T07:00:00Z",
    }

    assert [one.kind for one in parse_payload("postmark", payload)] == ([kind] if kind else [])
    assert parse_payload("postmark", payload | {"SuppressSending": False}) == ()


@pytest.mark.parametrize(
    ("provider", "payload", "expected"),
    [
        ("mailgun", mailgun_failed(reason="suppress-bounce"), (BounceReason.DISABLED, HARD)),
        ("mailgun", mailgun_failed(reason="old", **{"delivery-status": {}}), (BounceReason.EXPIRED, SOFT)),
        ("mailgun", mailgun_failed(event="rejected", reject={"reason": "Sandbox"}), (BounceReason.POLICY, SENDER)),
        ("postmark", postmark_bounce(kind="SoftBounce"), (BounceReason.UNKNOWN_USER, SOFT)),
        ("postmark", postmark_bounce(kind="HardBounce", Details=""), (BounceReason.UNKNOWN_USER, HARD)),
        ("postmark", postmark_bounce(kind="Blocked", Details="action: failed"), (BounceReason.BLOCKED, SENDER)),
        ("postmark", postmark_bounce(kind="DMARCPolicy"), (BounceReason.AUTHENTICATION, SENDER)),
        ("postmark", postmark_bounce(kind="SpamNotification"), (BounceReason.CONTENT, SENDER)),
        ("sendgrid", sendgrid_bounce(type="blocked"), (BounceReason.UNKNOWN_USER, SOFT)),
        ("sendgrid", sendgrid_bounce(reason="", status=""), (BounceReason.UNKNOWN_USER, HARD)),
        (
            "sendgrid",
            sendgrid_bounce(reason="", status="", bounce_classification="Reputation"),
            (BounceReason.BLOCKED, SENDER),
        ),
        ("sendgrid", sendgrid_bounce(event="dropped", reason="Bounced Address"), (BounceReason.DISABLED, HARD)),
        ("sendgrid", sendgrid_bounce(event="dropped", reason="Invalid SMTPAPI header"), (BounceReason.POLICY, SENDER)),
        ("sendgrid", sendgrid_bounce(event="dropped", reason="Invalid"), (BounceReason.UNKNOWN_USER, HARD)),
        ("brevo", brevo_bounce(event="soft_bounce"), (BounceReason.UNKNOWN_USER, SOFT)),
        ("brevo", brevo_bounce(event="soft_bounce", reason="452 4.2.2 mailbox full"), (BounceReason.FULL, SOFT)),
        ("brevo", brevo_bounce(event="blocked", reason=""), (BounceReason.DISABLED, HARD)),
        ("brevo", brevo_bounce(event="invalid_email", reason=""), (BounceReason.UNKNOWN_USER, HARD)),
        ("brevo", brevo_bounce(event="error", reason=""), (BounceReason.SYSTEM_TROUBLE, SOFT)),
        ("mailjet", mailjet_bounce(comment="", error="quota exceeded", hard_bounce=False), (BounceReason.FULL, SOFT)),
        ("mailjet", mailjet_bounce(comment="", error="mailbox inactive"), (BounceReason.DISABLED, HARD)),
        (
            "mailjet",
            mailjet_bounce(comment="", error="mailbox inactive", hard_bounce=False),
            (BounceReason.DISABLED, SOFT),
        ),
        ("mailjet", mailjet_bounce(event="blocked", comment="", error="preblocked"), (BounceReason.SUSPENDED, SOFT)),
        ("mailjet", mailjet_bounce(comment="", error="sender blocked"), (BounceReason.BLOCKED, SENDER)),
    ],
)
def test_a_providers_class_gives_the_reason_where_the_reply_gives_none(provider, payload, expected):
    assert classify_payload(provider, payload) == expected


@pytest.mark.parametrize(
    ("provider", "payload"),
    [
        *(("ses", {"notificationType": kind, "mail": {}}) for kind in ("Delivery", "Received", "AmazonSnsTest")),
        *(("ses", {"eventType": kind, "mail": {}}) for kind in ("Open", "Click", "Send", "DeliveryDelay")),
        ("mailgun", mailgun_failed(severity="temporary")),
        *(("mailgun", mailgun_failed(event=kind)) for kind in ("accepted", "delivered", "opened", "clicked")),
        *(("postmark", postmark_bounce(kind=kind)) for kind in ("Transient", "AutoResponder", "Subscribe", "Else")),
        ("postmark", {"RecordType": "Delivery", "Recipient": "rosa@example.org"}),
        *(("sendgrid", sendgrid_bounce(event=kind)) for kind in ("processed", "deferred", "delivered", "open")),
        *(("brevo", brevo_bounce(event=kind)) for kind in ("request", "delivered", "deferred", "opened")),
        *(("mailjet", mailjet_bounce(event=kind)) for kind in ("sent", "open", "click")),
        ("mailjet", mailjet_bounce(event="blocked", error="duplicate in campaign")),
    ],
)
def test_deliveries_delays_opens_and_clicks_give_no_feedback(provider, payload):
    assert parse_payload(provider, payload) == ()


def test_brevos_own_message_id_is_left_out_and_another_foreign_one_is_kept():
    ids = ["<2027.1@smtp-relay.mailin.fr>", "<2027.1@smtp-relay.brevo.com>", "<a@shop.example>"]

    (*made, other) = parse_payload("brevo", [brevo_bounce(message_id=one) for one in ids])

    assert [one.message_id for one in made] == [None, None]
    assert other.message_id == "<a@shop.example>"


@pytest.mark.parametrize("at", [None, True, "soon", -1, 1e400, 10**40, "9" * 300, [], "0001-01-01T00:00:00+14:00"])
def test_an_invalid_time_is_taken_as_now(at):
    (feedback,) = parse_payload("sendgrid", sendgrid_bounce(timestamp=at))

    assert feedback.at == NOW


def test_a_time_in_the_future_is_taken_as_now():
    (feedback,) = parse_payload("ses", ses_bounce(timestamp="2027-03-02T07:59:38Z"))

    assert feedback.at == NOW


KEYS = sorted(
    {"event-data", "notificationType", "eventType", "bounce", "complaint", "mail", "headers", "Type", "RecordType"}
    | {"bouncedRecipients", "complainedRecipients", "emailAddress", "event", "email", "reason", "status", "severity"}
    | {"delivery-status", "message", "code", "recipient", "Email", "Details", "timestamp", "time", "ts_epoch", "error"}
)
WORDS = st.sampled_from(
    [
        "Bounce",
        "Complaint",
        "Permanent",
        "failed",
        "permanent",
        "bounce",
        "HardBounce",
        "dropped",
        "hard_bounce",
        "spam",
    ]
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), WORDS)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=15,
)


@settings(max_examples=150)
@given(provider=st.sampled_from(sorted(EVENT_PARSERS)), payload=JSON)
def test_no_json_breaks_a_parser(provider, payload):
    for one in parse_payload(provider, payload):
        assert one.at <= NOW
        assert one.kind in {FeedbackKind.BOUNCE, FeedbackKind.COMPLAINT}


@settings(max_examples=100)
@given(data=st.data(), provider=st.sampled_from(sorted(EVENT_PARSERS)))
def test_a_genuine_call_with_a_changed_value_breaks_no_parser(data, provider):
    payload = BOUNCES[provider]

    def spoiled(value: Any) -> Any:
        if data.draw(st.integers(0, 9)) == 0:
            return data.draw(JSON)
        if isinstance(value, dict):
            return {key: spoiled(inner) for key, inner in value.items()}
        return [spoiled(inner) for inner in value] if isinstance(value, list) else value

    for one in parse_payload(provider, spoiled(payload)):
        assert one.address is None or "@" in one.address
