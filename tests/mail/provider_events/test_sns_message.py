"""An SNS message is verified by the certificate on its topic's own server, and only for our topics."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mailer.domain.provider_call import ProviderCall
from mailer.errors import ProviderCallRefused
from mailer.mail.provider_events.provider import Provider
from mailer.mail.provider_events.sns_message import parse_sns_message, verify_sns_message
from tests.support.provider_calls import (
    CERTIFICATE,
    NOW,
    SNS_HOST,
    TOPIC,
    ProviderKeys,
    certificate,
)

PROVIDERS = ProviderKeys()
SES = PROVIDERS.providers["ses"]
AMAZON, MALLORY = certificate(PROVIDERS.sns), certificate(ProviderKeys().sns)


def call_with(body: bytes) -> ProviderCall:
    return ProviderCall(provider="ses", body=body, headers={})


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_both_signature_versions_of_sns_are_verified_with_and_without_a_subject(version, subject):
    body = PROVIDERS.notification("{}", SignatureVersion=version, **subject)

    assert verify_sns_message(parse_sns_message(SES, call_with(body)), AMAZON, NOW).payload == "{}"


def opened_certificate_url(body: bytes) -> object:
    return parse_sns_message(SES, call_with(body)).certificate_url


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
def test_the_certificate_url_must_be_on_the_topics_server(url):
    with pytest.raises(ProviderCallRefused, match="its certificate is not at"):
        opened_certificate_url(PROVIDERS.notification("{}", SigningCertURL=url))


def test_another_topic_is_refused_and_china_has_its_own_server():
    with pytest.raises(ProviderCallRefused, match="not one of ours"):
        opened_certificate_url(PROVIDERS.notification("{}", TopicArn=TOPIC.replace("returns", "Returns")))

    china = "arn:aws-cn:sns:cn-north-1:123456789012:returns"
    body = PROVIDERS.notification("{}", TopicArn=china)
    call = call_with(body)
    assert parse_sns_message(Provider(name="ses", topics=(china,)), call).host == "sns.cn-north-1.amazonaws.com.cn"


def test_another_key_or_an_expired_certificate_is_refused():
    call = call_with(PROVIDERS.notification("{}"))
    old = certificate(PROVIDERS.sns, days=-1)
    elliptic = certificate(ec.generate_private_key(ec.SECP256R1()))

    for shown, why in ((MALLORY, "Amazon's key"), (old, "out of date"), (elliptic, "key type is unknown")):
        with pytest.raises(ProviderCallRefused, match=why):
            verify_sns_message(parse_sns_message(SES, call), shown, NOW)


def test_a_confirmation_goes_to_the_topics_server_whatever_url_it_names():
    body = PROVIDERS.confirmation(SubscribeURL="https://mallory.example/?Action=ConfirmSubscription")
    message = parse_sns_message(SES, call_with(body))

    assert verify_sns_message(message, AMAZON, NOW)
    assert message.confirmation_url.startswith(f"https://{SNS_HOST}/?Action=ConfirmSubscription&TopicArn=arn%3Aaws")
