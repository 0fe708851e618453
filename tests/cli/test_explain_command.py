"""`mailer explain` on the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mailer.domain.keyring import Keyring, write_keyring
from mailer.domain.token import Purpose, sign_token
from tests.support.warm_mailer import warm_mailer

DSN = """\
From: MAILER-DAEMON@mx.example.net
To: bounce+abc@lists.example.org
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

{recipients}
--b--
"""
FAILED = "Final-Recipient: rfc822; emma@example.org\nAction: failed\nStatus: 5.1.1\n"
DELAYED = "Final-Recipient: rfc822; rosa@example.org\nAction: delayed\nStatus: 4.4.1\n"
RELAYED = "Final-Recipient: rfc822; bea@example.org\nAction: relayed\nStatus: 2.0.0\n"
ARF = """\
From: feedback@mail.example.net
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: loop/1
Original-Rcpt-To: <emma@example.org>
--b--
"""
TOKEN = "a2b3" * 7 + "c"


def mail(to: str, body: str = "", *fields: str) -> str:
    return "\n".join(("From: Rosa <rosa@example.org>", f"To: {to}@lists.example.org", *fields, "", body))


MAILS: dict[str, tuple[str, str, list[str], list[str]]] = {
    "bounced": (DSN.format(recipients=f"{DELAYED}\n{FAILED}"), "bounce", ["emma@example.org"], []),
    "late": (DSN.format(recipients=DELAYED), "delay", ["rosa@example.org"], []),
    "relayed": (DSN.format(recipients=RELAYED), "auto-reply", [], []),
    "exim": (mail("bounce+abc", "", "X-Failed-Recipients: emma@example.org"), "bounce", ["emma@example.org"], []),
    "complaint": (ARF, "complaint", ["emma@example.org"], []),
    "away": (mail("appeals", "", "Subject: Automatic reply: x"), "auto-reply", [], []),
    "null": ("Return-Path: <>\n" + mail("appeals-join"), "auto-reply", [], []),
    "robot-leaves": (
        mail(f"appeals-leave+{TOKEN}", "", "Auto-Submitted: auto-generated"),
        "command",
        [],
        ["unsubscribe"],
    ),
    "join": (mail("appeals-join"), "command", [], ["subscribe"]),
    "join-by-a-gateway": (mail("appeals-join", "", "List-Id: <team.example.org>"), "command", [], ["subscribe"]),
    "join-tr": (mail("appeals-join-tr"), "command", [], ["subscribe"]),
    "plus": (mail("appeals+subscribe"), "command", [], ["subscribe"]),
    "leave": (mail(f"appeals-leave+{TOKEN}"), "command", [], ["unsubscribe"]),
    "delivered": (mail("appeals", "", "Delivered-To: appeals-help@lists.example.org"), "command", [], ["help"]),
    "yes": (mail(f"appeals-confirm+{TOKEN}", "Yes!"), "command", [], ["confirm"]),
    "no": (mail(f"appeals-confirm+{TOKEN}", "Hayır, teşekkürler"), "command", [], ["decline"]),
    "never": (mail(f"appeals-confirm+{TOKEN}", "No, never ask me again"), "command", [], ["never"]),
    "neither": (mail(f"appeals-confirm+{TOKEN}", "Wer sind Sie?"), "answer", [], ["neither"]),
    "only-subject": (mail(f"appeals-confirm+{TOKEN}", "", "Subject: Ik ben afwezig"), "answer", [], ["neither"]),
    "no-more": (mail("appeals", "Please don't send me any more emails."), "command", [], ["unsubscribe"]),
    "other": (mail("appeals-request", "remove emma@example.org from your list"), "command", [], ["help"]),
    "request": (mail("appeals-request", "join\nsprache türkisch"), "command", [], ["subscribe", "language tr"]),
    "lost": (mail("appeals-request", "Good day"), "command", [], ["help"]),
    "stop": (mail("appeals", "Bitte abmelden", "Subject: Re: harvest"), "command", [], ["unsubscribe"]),
    "road": (mail("appeals", "Stop the road works!", "Subject: Re: harvest"), "answer", [], []),
    "thread": (mail("appeals", "I bring beans.", "In-Reply-To: <a@example.org>"), "answer", [], []),
    "letter": (mail("appeals", "I bring beans."), "other", [], []),
    "owner": (mail("appeals-owner", "A question."), "other", [], []),
    "nothing": ("", "other", [], []),
}


def run(folder: Path, *words: str, given: bytes = b"") -> tuple[int, str, str]:
    """Run `mailer explain WORDS` where nothing was set up: its exit code, stdout and stderr."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
    done = warm_mailer()(["explain", *words], folder, clean, given)
    return done.code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """All mails, explained by one run."""
    folder = tmp_path_factory.mktemp("mails")
    for name, (text, *_) in MAILS.items():
        (folder / f"{name}.eml").write_text(text, encoding="utf-8")
    code, out, err = run(folder, "--json", *(f"{name}.eml" for name in MAILS))
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["file"] for line in lines] == [f"{name}.eml" for name in MAILS]
    return {line["file"].removesuffix(".eml"): line for line in lines}


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_classified(explained, name):
    _, kind, recipients, commands = MAILS[name]
    explanation = explained[name]

    failed = [one["address"] for one in explanation["recipients"] if one["action"] != "delayed" or kind == "delay"]
    assert (explanation["kind"], failed, explanation["commands"]) == (kind, recipients, commands)
    assert all(set(one) == {"address", "action", "status", "verdict", "reason"} for one in explanation["recipients"])
    assert explanation["complaint"] == ({"type": "abuse"} if kind == "complaint" else None)
    assert explanation["why"].endswith(".")
    assert set(explanation) == {"file", "kind", "recipients", "complaint", "commands", "return_path", "why"}


def test_without_json_the_result_is_one_line(tmp_path):
    (tmp_path / "rosa.eml").write_text(mail("appeals", "Please unsubscribe me"))

    code, out, _ = run(tmp_path, "rosa.eml")

    assert code == 0
    assert out == "rosa.eml: command unsubscribe. A whole line is nothing but a command.\n"


def test_a_minus_reads_standard_input(tmp_path):
    code, out, _ = run(tmp_path, "--json", "-", given=mail("appeals-join").encode())

    assert (code, json.loads(out)["file"], json.loads(out)["kind"]) == (0, "-", "command")


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_still_explained(tmp_path):
    (tmp_path / "rosa.eml").write_text(mail("appeals-join"))

    code, out, err = run(tmp_path, "--json", "gone.eml", "rosa.eml", str(tmp_path))

    assert code == 1
    assert [json.loads(line)["file"] for line in out.splitlines()] == ["rosa.eml"]
    assert "gone.eml" in err
    assert str(tmp_path) in err
    assert len(err.splitlines()) == 2


def test_with_the_secret_a_forged_return_path_is_recognised(tmp_path):
    keyring = Keyring(b"p" * 32, ((1, b"k" * 32),))
    (tmp_path / "settings.toml").write_text("")
    (tmp_path / "secret").write_text(write_keyring(keyring))
    genuine = sign_token(keyring, Purpose.RETURN_PATH, 7)
    bounced = DSN.format(recipients=FAILED)
    for name, to in (("genuine", f"bounce+{genuine}"), ("forged", f"bounce+{genuine[:-4]}aaaa"), ("other", "appeals")):
        (tmp_path / f"{name}.eml").write_text(bounced.replace("bounce+abc@", f"{to}@"))

    _, out, _ = run(tmp_path, "--json", "genuine.eml", "forged.eml", "other.eml")

    assert [json.loads(line)["return_path"] for line in out.splitlines()] == ["valid", "forged", "none"]


def test_with_the_secret_a_leave_token_is_distinguished_from_an_answer(tmp_path):
    keyring = Keyring(b"p" * 32, ((1, b"k" * 32),))
    (tmp_path / "settings.toml").write_text("")
    (tmp_path / "secret").write_text(write_keyring(keyring))
    out_of, asked = (
        f"appeals-leave+{sign_token(keyring, purpose, 7)}" for purpose in (Purpose.LEAVE, Purpose.LEAVE_REPLY)
    )
    auto_submitted = "Auto-Submitted: auto-replied"
    mails = (
        (mail(out_of, "", auto_submitted), "command", ["unsubscribe"]),
        (mail(asked, "", auto_submitted), "auto-reply", []),
        (mail(asked, "Yes, please remove me"), "command", ["unsubscribe"]),
        (mail(asked, "No, I stay"), "command", ["decline"]),
        (mail(asked, "Ik ben afwezig tot maandag."), "answer", ["neither"]),
    )
    for number, (text, *_) in enumerate(mails):
        (tmp_path / f"{number}.eml").write_text(text)

    _, out, _ = run(tmp_path, "--json", *(f"{number}.eml" for number in range(len(mails))))

    explanation = [json.loads(line) for line in out.splitlines()]
    assert [(one["kind"], one["commands"]) for one in explanation] == [(kind, commands) for _, kind, commands in mails]
