"""Whose call it is: nobody without the key is believed, nor anybody long after, nor twice."""

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
from mailer.errors import ProviderCallInProgress, ProviderCallRefused, ProviderCallUnreadable, SecretUnreadable
from mailer.mail.provider_events.provider import Provider, read_public_keys, read_secrets
from mailer.mail.provider_events.sns_message import parse_sns_message, verify_sns_message
from mailer.mail.provider_events.verify_call import verify_call
from tests.support.provider_calls import (
    CERTIFICATE,
    LOGIN,
    NOW,
    SNS_HOST,
    TOPIC,
    ProviderKeys,
    certificate,
    mailgun_failed,
)

PROVIDERS = ProviderKeys()
PROVIDER_KEYS = PROVIDERS.providers
AMAZON, MALLORY = certificate(PROVIDERS.sns), certificate(ProviderKeys().sns)


def verify_body(provider: str, body: bytes, headers: Mapping[str, str], hook: Provider | None = None) -> VerifiedCall:
    lowered = {key.lower(): value for key, value in headers.items()}
    call = ProviderCall(provider=provider, body=body, headers=lowered)
    if provider != "ses":
        return verify_call(hook or PROVIDER_KEYS[provider], call, NOW)
    return verify_sns_message(parse_sns_message(PROVIDER_KEYS["ses"], call), AMAZON, NOW)


@pytest.mark.parametrize("provider", PROVIDER_KEYS)
def test_a_genuine_call_is_believed_and_has_one_name(provider):
    first, second = (verify_body(provider, *PROVIDERS.call(provider, {"event": "sent"})) for _ in range(2))

    assert first.payload
    assert first.dedup_key.partition(" ")[0] in {provider, "sns"}
    # ECDSA signs anew each time; what it signs is the same.
    assert first.dedup_key == second.dedup_key


@pytest.mark.parametrize("provider", ["ses", "sendgrid"])
def test_a_letter_changed_in_what_was_signed_is_refused(provider):
    body, headers = PROVIDERS.call(provider, {"event": "sent"})

    with pytest.raises(ProviderCallRefused, match="signature"):
        verify_body(provider, body.replace(b"sent", b"sEnt"), headers)


@pytest.mark.parametrize(
    ("provider", "late"), [("mailgun", {"hours": 9}), ("sendgrid", {"hours": 25}), ("ses", {"hours": 2})]
)
def test_a_call_is_believed_for_as_long_as_its_provider_tries_again(provider, late):
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
def test_mallory_does_not_know_the_login(provider, header):
    with pytest.raises(ProviderCallRefused, match="login"):
        verify_body(provider, b"{}", {"authorization": header})


def test_a_login_may_come_as_a_bearer_token_and_be_one_of_two():
    hook = Provider(name="brevo", secrets=(LOGIN, b"the-next-long-secret"))

    for header in ("Bearer the-next-long-secret", "basic " + base64.b64encode(LOGIN).decode()):
        assert verify_body("brevo", b"{}", {"authorization": header}, hook).payload == {}


@pytest.mark.parametrize("spoiled", ["timestamp", "token", "signature"])
def test_mailguns_signature_is_of_its_time_and_its_token(spoiled):
    said = json.loads(PROVIDERS.mailgun(mailgun_failed()))
    was = said["signature"][spoiled]
    said["signature"][spoiled] = was[:-1] + ("1" if was[-1] == "0" else "0")

    with pytest.raises(ProviderCallRefused, match="key"):
        verify_body("mailgun", json.dumps(said).encode(), {})


def test_the_line_between_mailguns_time_and_token_cannot_be_moved():
    said = json.loads(PROVIDERS.mailgun({}, token="1" + "t" * 49))
    said["signature"]["timestamp"] += "1"
    said["signature"]["token"] = "t" * 49

    with pytest.raises(ProviderCallRefused, match="does not say when"):
        verify_body("mailgun", json.dumps(said).encode(), {})


def test_mailguns_token_is_good_for_one_body_as_its_signature_does_not_cover_it():
    known, body, other = SeenCalls(), PROVIDERS.mailgun({"event": "sent"}), PROVIDERS.mailgun({"event": "complained"})
    call = verify_body("mailgun", body, {})

    assert verify_body("mailgun", other, {}).dedup_key == call.dedup_key
    assert known.claim(call.dedup_key, body, NOW)
    known.mark_done(call.dedup_key)
    assert not known.claim(call.dedup_key, body, NOW)
    with pytest.raises(ProviderCallRefused, match="another call's"):
        known.claim(call.dedup_key, other, NOW)


def test_what_was_not_written_down_is_new_when_it_comes_again():
    known = SeenCalls()

    first = known.claim("a", b"1", NOW)
    with pytest.raises(ProviderCallInProgress):
        known.claim("a", b"1", NOW)
    known.forget("a")
    second = known.claim("a", b"1", NOW)
    known.mark_done("a")

    assert [first, second, known.claim("a", b"1", NOW)] == [True, True, False]


def test_calls_are_remembered_for_longer_than_they_are_believed_and_not_without_end():
    known = SeenCalls(most=3)

    claimed = [known.claim(name, b"", NOW) for name in "abcda"]
    known.mark_done("d")
    still = known.claim("d", b"", NOW + timedelta(hours=25))
    later = known.claim("d", b"", NOW + timedelta(hours=27))

    assert (claimed, still, later) == ([True] * 5, False, True)


def test_sendgrid_signs_with_its_own_key():
    body, headers = PROVIDERS.call("sendgrid", [])

    stranger = Provider(name="sendgrid", public_keys=(ec.generate_private_key(ec.SECP256R1()).public_key(),))
    two = Provider(name="sendgrid", public_keys=stranger.public_keys + PROVIDER_KEYS["sendgrid"].public_keys)

    assert verify_body("sendgrid", body, headers, two)
    with pytest.raises(ProviderCallRefused, match="SendGrid's key"):
        verify_body("sendgrid", body, headers, stranger)
    for spoiled in (
        {},
        {"X-Twilio-Email-Event-Webhook-Signature": "!"},
        {"X-Twilio-Email-Event-Webhook-Timestamp": ""},
    ):
        with pytest.raises(ProviderCallRefused):
            verify_body("sendgrid", body, (headers if spoiled else {}) | spoiled)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_amazon_signs_in_two_ways_with_and_without_a_subject(version, subject):
    body = PROVIDERS.notification("{}", SignatureVersion=version, **subject)

    assert verify_body("ses", body, {}).payload == "{}"


def opened_certificate_url(body: bytes) -> object:
    return parse_sns_message(PROVIDER_KEYS["ses"], ProviderCall(provider="ses", body=body, headers={})).certificate_url


@pytest.mark.parametrize(
    "url",
    [
        "",
        CERTIFICATE.replace("https", "http"),
        CERTIFICATE.replace(SNS_HOST, "sns.us-east-1.amazonaws.com"),
        CERTIFICATE.replace(SNS_HOST, f"{SNS_HOST}.example.org"),
        CERTIFICATE.replace(SNS_HOST, f"{SNS_HOST}:8443"),
        CERTIFICATE.replace(SNS_HOST, f"{SNS_HOST}@example.org"),
        CERTIFICATE.replace(SNS_HOST, f"mallory@{SNS_HOST}"),
        CERTIFICATE.replace(SNS_HOST, "127.0.0.1"),
        f"https://{SNS_HOST}/?Action=x&y=/SimpleNotificationService-0.pem",
        f"https://{SNS_HOST}/../SimpleNotificationService-0.pem",
        CERTIFICATE + "?x",
        CERTIFICATE + "\n",
    ],
)
def test_the_certificate_is_asked_for_at_the_topics_own_server_only(url):
    with pytest.raises(ProviderCallRefused, match="its certificate is not at"):
        opened_certificate_url(PROVIDERS.notification("{}", SigningCertURL=url))


def test_another_topic_is_not_ours_and_china_has_a_server_of_its_own():
    with pytest.raises(ProviderCallRefused, match="not one of ours"):
        opened_certificate_url(PROVIDERS.notification("{}", TopicArn=TOPIC.replace("returns", "Returns")))

    china = "arn:aws-cn:sns:cn-north-1:123456789012:returns"
    body = PROVIDERS.notification("{}", TopicArn=china)
    call = ProviderCall(provider="ses", body=body, headers={})
    assert parse_sns_message(Provider(name="ses", topics=(china,)), call).host == "sns.cn-north-1.amazonaws.com.cn"


def test_another_key_or_an_old_certificate_proves_nothing():
    call = ProviderCall(provider="ses", body=PROVIDERS.notification("{}"), headers={})
    old = certificate(PROVIDERS.sns, days=-1)
    elliptic = certificate(ec.generate_private_key(ec.SECP256R1()))

    for shown, why in ((MALLORY, "Amazon's key"), (old, "out of date"), (elliptic, "do not know")):
        with pytest.raises(ProviderCallRefused, match=why):
            verify_sns_message(parse_sns_message(PROVIDER_KEYS["ses"], call), shown, NOW)


def test_a_confirmation_is_answered_at_the_topics_server_whatever_url_it_names():
    body = PROVIDERS.confirmation(SubscribeURL="https://mallory.example/?Action=ConfirmSubscription")
    envelope = parse_sns_message(PROVIDER_KEYS["ses"], ProviderCall(provider="ses", body=body, headers={}))

    assert verify_sns_message(envelope, AMAZON, NOW)
    assert envelope.confirmation_url.startswith(f"https://{SNS_HOST}/?Action=ConfirmSubscription&TopicArn=arn%3Aaws")


@settings(max_examples=60)
@given(
    provider=st.sampled_from(sorted(PROVIDER_KEYS)),
    body=st.binary(max_size=60) | st.sampled_from([b"[" * 10**5, b"[]"]),
)
def test_garbage_proves_nothing(provider, body):
    with pytest.raises((ProviderCallRefused, ProviderCallUnreadable)):
        verify_body(provider, body, {})


@settings(max_examples=80)
@given(data=st.data(), provider=st.sampled_from(["ses", "mailgun"]))
def test_nor_does_a_call_with_some_other_json_in_a_field(data, provider):
    body, headers = PROVIDERS.call(provider, {})
    said = json.loads(body)
    fields = said["signature"] if provider == "mailgun" else said
    field = data.draw(st.sampled_from(sorted(set(fields) - {"SigningCertURL"})))
    fields[field] = data.draw(
        st.sampled_from([None, 1, True, [], {}, "", "x", "\ud800", "9" * 400, 1e300, [{"Type": "Notification"}]])
    )

    with pytest.raises((ProviderCallRefused, ProviderCallUnreadable)):
        verify_body(provider, json.dumps(said).encode(), headers)


def test_a_secret_that_could_be_guessed_is_none():
    assert read_secrets("\n a-long-enough-key \n\nand-another-long-one\n") == (
        b"a-long-enough-key",
        b"and-another-long-one",
    )
    for text in ("", "\n", "too-short", "a-long-enough-key\nshort", "ä" * 20):
        with pytest.raises(SecretUnreadable, match="16 or more"):
            read_secrets(text)


@pytest.mark.parametrize("text", ["", "!", "AAAA", base64.b64encode(b"x" * 91).decode()])
def test_a_public_key_that_is_none_is_refused(text):
    with pytest.raises(SecretUnreadable, match="not an ECDSA key"):
        read_public_keys([text])
