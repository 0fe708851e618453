"""A provider's call is verified by its signature or login, and refused when it is too old or changed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.provider_call import ProviderCall, VerifiedCall
from mailer.domain.provider_call_dedup import SeenCalls
from mailer.errors import ProviderCallRefused, ProviderCallUnreadable
from mailer.mail.provider_events.provider import Provider
from mailer.mail.provider_events.sns_message import parse_sns_message, verify_sns_message
from mailer.mail.provider_events.verify_call import verify_call
from tests.support.provider_calls import (
    LOGIN,
    NOW,
    ProviderKeys,
    certificate,
    mailgun_failed,
)

PROVIDERS = ProviderKeys()
PROVIDER_KEYS = PROVIDERS.providers
AMAZON, MALLORY = certificate(PROVIDERS.sns), certificate(ProviderKeys().sns)


def verify_body(
    provider: str, body: bytes, headers: Mapping[str, str], credentials: Provider | None = None
) -> VerifiedCall:
    lowered = {key.lower(): value for key, value in headers.items()}
    call = ProviderCall(provider=provider, body=body, headers=lowered)
    if provider != "ses":
        return verify_call(credentials or PROVIDER_KEYS[provider], call, NOW)
    return verify_sns_message(parse_sns_message(PROVIDER_KEYS["ses"], call), AMAZON, NOW)


@pytest.mark.parametrize("provider", PROVIDER_KEYS)
def test_a_genuine_call_is_verified_and_repeats_with_the_same_dedup_key(provider):
    first, second = (verify_body(provider, *PROVIDERS.call(provider, {"event": "sent"})) for _ in range(2))

    assert first.payload
    assert first.dedup_key.partition(" ")[0] in {provider, "sns"}
    # ECDSA signs anew each time; what it signs is the same.
    assert first.dedup_key == second.dedup_key


@pytest.mark.parametrize("provider", ["ses", "sendgrid"])
def test_a_change_in_the_signed_text_is_refused(provider):
    body, headers = PROVIDERS.call(provider, {"event": "sent"})

    with pytest.raises(ProviderCallRefused, match="signature"):
        verify_body(provider, body.replace(b"sent", b"sEnt"), headers)


@pytest.mark.parametrize(
    ("provider", "late"), [("mailgun", {"hours": 9}), ("sendgrid", {"hours": 25}), ("ses", {"hours": 2})]
)
def test_a_signature_is_accepted_for_as_long_as_its_provider_repeats_calls(provider, late):
    in_time, too_late = NOW - timedelta(**late), NOW - timedelta(**late, seconds=1)

    assert verify_body(provider, *PROVIDERS.call(provider, {}, in_time))
    for at in (too_late, NOW + timedelta(minutes=6)):
        with pytest.raises(ProviderCallRefused, match="it was signed at"):
            verify_body(provider, *PROVIDERS.call(provider, {}, at))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic " + base64.b64encode(LOGIN[:-1]).decode(),
        "Basic " + base64.b64encode(b"mailer:").decode(),
        "Digest " + base64.b64encode(LOGIN).decode(),
        "Bearer " + base64.b64encode(LOGIN).decode(),
        "Basic \u00e9",
    ],
)
@pytest.mark.parametrize("provider", ["postmark", "brevo", "mailjet"])
def test_a_call_with_a_wrong_login_is_refused(provider, header):
    with pytest.raises(ProviderCallRefused, match="login"):
        verify_body(provider, b"{}", {"authorization": header})


def test_a_login_may_be_a_bearer_token_and_one_of_two_secrets():
    credentials = Provider(name="brevo", secrets=(LOGIN, b"the-next-long-secret"))

    for header in ("Bearer the-next-long-secret", "basic " + base64.b64encode(LOGIN).decode()):
        assert verify_body("brevo", b"{}", {"authorization": header}, credentials).payload == {}


@pytest.mark.parametrize("spoiled", ["timestamp", "token", "signature"])
def test_mailguns_signature_covers_its_time_and_token(spoiled):
    payload = json.loads(PROVIDERS.mailgun(mailgun_failed()))
    was = payload["signature"][spoiled]
    payload["signature"][spoiled] = was[:-1] + ("1" if was[-1] == "0" else "0")

    with pytest.raises(ProviderCallRefused, match="key"):
        verify_body("mailgun", json.dumps(payload).encode(), {})


def test_mailguns_time_and_token_cannot_be_divided_elsewhere():
    payload = json.loads(PROVIDERS.mailgun({}, token="1" + "t" * 49))
    payload["signature"]["timestamp"] += "1"
    payload["signature"]["token"] = "t" * 49

    with pytest.raises(ProviderCallRefused, match="signing time"):
        verify_body("mailgun", json.dumps(payload).encode(), {})


def test_mailguns_token_is_accepted_with_one_body_only():
    known, body, other = SeenCalls(), PROVIDERS.mailgun({"event": "sent"}), PROVIDERS.mailgun({"event": "complained"})
    call = verify_body("mailgun", body, {})

    assert verify_body("mailgun", other, {}).dedup_key == call.dedup_key
    assert known.claim(call.dedup_key, body, NOW)
    known.mark_done(call.dedup_key)
    assert not known.claim(call.dedup_key, body, NOW)
    with pytest.raises(ProviderCallRefused, match="used by another call"):
        known.claim(call.dedup_key, other, NOW)


def test_sendgrids_call_needs_a_signature_by_one_of_its_keys():
    body, headers = PROVIDERS.call("sendgrid", [])

    foreign = Provider(name="sendgrid", public_keys=(ec.generate_private_key(ec.SECP256R1()).public_key(),))
    two = Provider(name="sendgrid", public_keys=foreign.public_keys + PROVIDER_KEYS["sendgrid"].public_keys)

    assert verify_body("sendgrid", body, headers, two)
    with pytest.raises(ProviderCallRefused, match="SendGrid's key"):
        verify_body("sendgrid", body, headers, foreign)
    for spoiled in (
        {},
        {"X-Twilio-Email-Event-Webhook-Signature": "!"},
        {"X-Twilio-Email-Event-Webhook-Timestamp": ""},
    ):
        with pytest.raises(ProviderCallRefused):
            verify_body("sendgrid", body, (headers if spoiled else {}) | spoiled)


@settings(max_examples=60)
@given(
    provider=st.sampled_from(sorted(PROVIDER_KEYS)),
    body=st.binary(max_size=60) | st.sampled_from([b"[" * 10**5, b"[]"]),
)
def test_garbage_is_refused(provider, body):
    with pytest.raises((ProviderCallRefused, ProviderCallUnreadable)):
        verify_body(provider, body, {})


@settings(max_examples=80)
@given(data=st.data(), provider=st.sampled_from(["ses", "mailgun"]))
def test_a_call_with_another_value_in_a_field_is_refused(data, provider):
    body, headers = PROVIDERS.call(provider, {})
    payload = json.loads(body)
    fields = payload["signature"] if provider == "mailgun" else payload
    field = data.draw(st.sampled_from(sorted(set(fields) - {"SigningCertURL"})))
    fields[field] = data.draw(
        st.sampled_from([None, 1, True, [], {}, "", "x", "\ud800", "9" * 400, 1e300, [{"Type": "Notification"}]])
    )

    with pytest.raises((ProviderCallRefused, ProviderCallUnreadable)):
        verify_body(provider, json.dumps(payload).encode(), headers)
