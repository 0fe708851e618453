"""The demo's inbox: the SMTP sink, the letters it keeps, and its pages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailer.demo.inbox import Inbox
from mailer.demo.inbox_pages import LETTERS_A_PAGE, inbox_app
from mailer.demo.sink import open_sink
from mailer.errors import NotFound
from mailer.mail.compose.templates import Templates

SITE = "http://127.0.0.1:8000"
ROSA, EMMA, BEA = "rosa@example.org", "emma@example.net", "bea@example.com"
RETURN_PATH = "bounce+token@lists.example.org"
NINE = datetime(2026, 12, 4, 9, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(a_clock())


@pytest.fixture
async def sink(inbox: Inbox) -> AsyncIterator[int]:
    async with open_sink(inbox) as port:
        yield port


@pytest.fixture
async def pages(inbox: Inbox) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(inbox) as client:
        yield client


def a_clock() -> Callable[[], datetime]:
    ticks = iter(range(10**6))
    return lambda: NINE + timedelta(seconds=next(ticks))


def browser(inbox: Inbox) -> httpx.AsyncClient:
    app = inbox_app(inbox, Templates(ROOT / "templates", ROOT / "mailer" / "locale"))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inbox")


def a_letter(*, subject: str = "Harvest forum", text: str | None = "Come!", html: str | None = None) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Appeals <appeals@lists.example.org>", ROSA, subject
    if text is not None:
        message.set_content(text)
        if html is not None:
            message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")
    return message.as_bytes().replace(b"\n", b"\r\n")


# --- The inbox --------------------------------------------------------------------------------------------------


async def test_the_inbox_numbers_letters_and_notes_when_they_came(inbox: Inbox) -> None:
    await inbox.add(RETURN_PATH, ROSA, b"one")

    second = await inbox.add("", EMMA, b"two")

    assert (second.number, second.return_path, second.recipient, second.content) == (2, "", EMMA, b"two")
    assert second.received_at == NINE + timedelta(seconds=1)
    assert inbox.letter(2) is second
    assert len(inbox) == 2


@pytest.mark.parametrize("number", [-1, 0, 2])
async def test_an_unknown_letter_number_is_not_found(inbox: Inbox, number: int) -> None:
    await inbox.add(RETURN_PATH, ROSA, b"one")

    with pytest.raises(NotFound):
        inbox.letter(number)


async def test_letters_to_an_address_are_found_in_any_letter_case(inbox: Inbox) -> None:
    first = await inbox.add(RETURN_PATH, ROSA, b"one")
    await inbox.add(RETURN_PATH, EMMA, b"two")
    third = await inbox.add(RETURN_PATH, ROSA.upper(), b"three")

    assert inbox.letters_to("Rosa@Example.org") == (first, third)
    assert inbox.letters_to(BEA) == ()


async def test_waiting_for_a_letter_ends_when_it_comes(inbox: Inbox) -> None:
    await inbox.add(RETURN_PATH, ROSA, a_letter(subject="Please confirm"))
    waiting = asyncio.create_task(inbox.wait_for(lambda letter: letter.subject == "Welcome", 5))
    await asyncio.sleep(0)
    assert not waiting.done()

    welcome = await inbox.add(RETURN_PATH, ROSA, a_letter(subject="Welcome"))

    assert await waiting == (welcome,)


async def test_waiting_for_several_letters_returns_those_that_are_here(inbox: Inbox) -> None:
    letters = [await inbox.add(RETURN_PATH, address, b"") for address in (ROSA, EMMA, ROSA, ROSA)]

    found = await inbox.wait_for(lambda letter: letter.recipient == ROSA, 5, count=2)

    assert found == (letters[0], letters[2])


async def test_a_timeout_says_how_many_letters_came(inbox: Inbox) -> None:
    await inbox.add(RETURN_PATH, ROSA, b"")

    with pytest.raises(TimeoutError, match="only 1 of 2 letters"):
        await inbox.wait_for(lambda letter: True, 0.01, count=2)

    await inbox.add(RETURN_PATH, EMMA, b"")
    assert len(await inbox.wait_for(lambda letter: True, 5, count=2)) == 2


async def test_encoded_words_and_parts_are_read_as_people_see_them(inbox: Inbox) -> None:
    letter = await inbox.add(
        RETURN_PATH, ROSA, a_letter(subject="Ayşe, gelir misin?", text="Köln\n", html="<p>Köln</p>\n")
    )

    assert letter.subject == "Ayşe, gelir misin?"
    assert letter.sender == "Appeals <appeals@lists.example.org>"
    assert (letter.text or "").strip() == "Köln"
    assert (letter.html or "").strip() == "<p>Köln</p>"


# --- The sink ---------------------------------------------------------------------------------------------------


async def test_the_sink_keeps_each_octet_of_a_letter_for_each_recipient(inbox: Inbox, sink: int) -> None:
    content = b"Subject: dots\r\n\r\n.\r\n..two\r\n8 bit: \xc3\xbc\r\n"

    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=sink, start_tls=False) as client:
        refused, _ = await client.sendmail(RETURN_PATH, [ROSA, EMMA], content)

    assert refused == {}
    assert [(found.recipient, found.content) for found in inbox.search("", before=None, limit=9)] == [
        (EMMA, content),
        (ROSA, content),
    ]
    assert inbox.letter(1).return_path == RETURN_PATH


async def test_whole_sessions_may_come_pipelined_in_one_packet(inbox: Inbox, sink: int) -> None:
    envelope = f"MAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<{ROSA}>\r\nDATA\r\n"
    session = "EHLO demo\r\n" + (envelope + "Subject: hi\r\n\r\nhello\r\n.\r\n") * 2 + "QUIT\r\n"

    replies = await talk(sink, session.encode())

    assert "250-PIPELINING" in replies
    assert [reply[:3] for reply in replies if reply[3] == " "] == [
        *("220", "250"),
        *("250", "250", "354", "250"),
        *("250", "250", "354", "250"),
        "221",
    ]
    assert [letter.content for letter in inbox.letters_to(ROSA)] == [b"Subject: hi\r\n\r\nhello\r\n"] * 2


@pytest.mark.parametrize(
    ("session", "code"),
    [
        (f"RCPT TO:<{ROSA}>", "503"),
        ("DATA", "503"),
        (f"MAIL FROM:<>\r\nMAIL FROM:<{BEA}>", "503"),
        (f"MAIL FROM:<>\r\nRCPT TO:<{ROSA}>\r\nRSET\r\nDATA", "503"),
        (f"MAIL TO:<{ROSA}>", "501"),
        ("MAIL FROM:<>\r\nRCPT TO:<>", "501"),
        ("MAIL FROM:<>\r\nRCPT TO: rosa", "501"),
        ("VRFY rosa", "502"),
        ("NOOP", "250"),
        ("HELO demo", "250"),
    ],
)
async def test_commands_out_of_order_are_refused_and_nothing_is_kept(
    inbox: Inbox, sink: int, session: str, code: str
) -> None:
    replies = await talk(sink, f"{session}\r\nQUIT\r\n".encode())

    assert replies[-2][:3] == code
    assert len(inbox) == 0


async def test_half_a_letter_is_not_kept(inbox: Inbox, sink: int) -> None:
    await talk(sink, f"MAIL FROM:<>\r\nRCPT TO:<{ROSA}>\r\nDATA\r\nSubject: hi\r\n".encode(), then_leave=True)

    assert len(inbox) == 0


async def test_closing_the_sink_hangs_up_on_idle_clients(inbox: Inbox) -> None:
    async with asyncio.timeout(5):
        async with open_sink(inbox) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert (await reader.readline()).startswith(b"220 ")
            _, just_arrived = await asyncio.open_connection("127.0.0.1", port)

        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        for each in (writer, just_arrived):
            each.transport.abort()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def talk(port: int, octets: bytes, *, then_leave: bool = False) -> list[str]:
    """Send everything in one write; all reply lines until the sink hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(octets)
    if then_leave:
        writer.write_eof()
    async with asyncio.timeout(5):
        replies = await reader.read()
    writer.close()
    await writer.wait_closed()
    return replies.decode().splitlines()


# --- The pages --------------------------------------------------------------------------------------------------


async def test_the_list_shows_everyones_letters_newest_first(inbox: Inbox, pages: httpx.AsyncClient) -> None:
    await inbox.add(RETURN_PATH, ROSA, a_letter(subject="First"))
    await inbox.add(RETURN_PATH, EMMA, a_letter(subject="Second"))

    page = (await pages.get("/")).text

    assert page.index("Second") < page.index("First")
    assert all(shown in page for shown in (ROSA, EMMA, "appeals@lists.example.org", "4 Dec, 09:00:01", "/letter/2"))


async def test_the_list_can_be_searched_by_recipient(inbox: Inbox, pages: httpx.AsyncClient) -> None:
    await inbox.add(RETURN_PATH, ROSA, a_letter())
    await inbox.add(RETURN_PATH, EMMA, a_letter())

    page = (await pages.get("/", params={"q": "ROSA"})).text

    assert "/letter/1" in page
    assert EMMA not in page


async def test_older_letters_are_one_link_away(inbox: Inbox, pages: httpx.AsyncClient) -> None:
    for _ in range(LETTERS_A_PAGE + 1):
        await inbox.add(RETURN_PATH, ROSA, a_letter())

    newest = (await pages.get("/")).text
    oldest = (await pages.get("/", params={"before": 2})).text

    assert "before=2" in newest
    assert newest.count('href="/letter/') == LETTERS_A_PAGE
    assert oldest.count('href="/letter/') == 1
    assert "Older letters" not in oldest


async def test_an_empty_inbox_says_what_will_come(pages: httpx.AsyncClient) -> None:
    page = await pages.get("/")

    assert page.status_code == 200
    assert "No letter yet" in page.text


async def test_the_html_view_shows_the_letter_in_a_sandboxed_frame(inbox: Inbox, pages: httpx.AsyncClient) -> None:
    await inbox.add(RETURN_PATH, ROSA, a_letter(html="<p>hello</p>"))

    page = await pages.get("/letter/1")
    framed = await pages.get("/letter/1/html")

    assert '<iframe class="sheet" sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert "hello" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert framed.text.startswith('<!doctype html><base target="_blank"><p>hello</p>')
    policy = {part.strip() for part in framed.headers["content-security-policy"].split(";")}
    assert {"default-src 'none'", "style-src 'unsafe-inline'", "img-src data:"} <= policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert not any("script" in part for part in policy)


async def test_the_text_view_keeps_the_words_and_links_them(inbox: Inbox, pages: httpx.AsyncClient) -> None:
    text = f"See {SITE}/leave/abc?a=1&b=2. Or (https://www.example.org/x) <b>bold</b> javascript://x\n"
    await inbox.add(RETURN_PATH, ROSA, a_letter(text=text))

    page = (await pages.get("/letter/1")).text

    assert f'href="{SITE}/leave/abc?a=1&amp;b=2"' in page
    assert f">{SITE}/leave/abc?a=1&amp;b=2</a>. Or" in page
    assert 'href="https://www.example.org/x"' in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert 'href="javascript' not in page


async def test_the_source_view_shows_the_letter_untouched_and_escaped(inbox: Inbox, pages: httpx.AsyncClient) -> None:
    html = f'<script>alert(1)</script><a href="{SITE}/x">x</a>'
    await inbox.add(RETURN_PATH, ROSA, a_letter(html=html))

    page = (await pages.get("/letter/1", params={"view": "source"})).text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert f"&#34;{SITE}/x&#34;" in page
    assert "<script" not in page


async def test_html_in_headers_and_searches_is_escaped(inbox: Inbox, pages: httpx.AsyncClient) -> None:
    evil = "\"><script>alert('x')</script>"
    await inbox.add(evil, f"{evil}@example.org", b"Subject: " + evil.encode() + b"\r\nFrom: <b>\r\n\r\n")

    listed = (await pages.get("/", params={"q": evil})).text
    shown = (await pages.get("/letter/1", params={"view": "source"})).text

    for page in (listed, shown):
        assert "<script" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "path",
    [
        *("/letter/2", "/letter/0", "/letter/x", "/letter/2/html", "/letter/" + "9" * 5000),
        *("/letter/1?view=html", "/letter/1?view=%3Cb%3E", "/letter/1/html", "/?before=x"),
    ],
)
async def test_unknown_pages_are_not_found(inbox: Inbox, pages: httpx.AsyncClient, path: str) -> None:
    await inbox.add(RETURN_PATH, ROSA, a_letter(html=None))

    page = await pages.get(path)

    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/plain")


async def test_of_a_deeply_nested_letter_only_the_source_is_shown(inbox: Inbox, pages: httpx.AsyncClient) -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(2000))
    await inbox.add(RETURN_PATH, ROSA, nested + b"Content-Type: text/plain\r\n\r\nhello\r\n")

    page = await pages.get("/letter/1")

    assert page.status_code == 200
    assert "boundary=1999" in page.text
    assert "view=text" not in page.text


_HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                b"Subject: ",
                b"From: ",
                b"Content-Type: ",
                b"text/html",
                b"text/plain",
                b"; charset=",
                b"\r\n",
                b"\r\n\r\n",
            ),
            *(
                b"multipart/mixed; boundary=x",
                b"--x\r\n",
                b"--x--\r\n",
                b"message/rfc822",
                b"=?utf-7?q?+2AA-?=",
                b"+2AA-",
            ),
            *(
                b"=?utf-8?b?x?=",
                b"=?nope?q?x?=",
                b"=?utf-8?q?=ff?=",
                b"utf-7",
                b"rot13",
                b"undefined",
                b"idna",
                b"a\0b",
            ),
            *(
                b"Content-Transfer-Encoding: ",
                b"base64",
                b"x-uuencode",
                b"quoted-printable",
                b"\xff\xfe",
                b"*0*=",
                b'"',
            ),
            *(b"Content-Disposition: ", b"attachment"),
        ]
    )
    | st.binary(max_size=8),
    max_size=24,
).map(b"".join)


@settings(deadline=None)
@given(_HOSTILE)
@example(b"Content-Type: text/html; charset=utf-7\r\n\r\n+2AA-")
@example(b"Subject: =?utf-7?q?+2AA-?=\r\n\r\n")
@example(b"Content-Type: text/html; charset=rot13\r\n\r\nhello")
@example(b"Subject: \xff\xfe\r\nContent-Type: text/\xff\r\n\r\n\xff")
def test_no_letter_is_so_malformed_that_its_pages_break(content: bytes) -> None:
    async def load_pages() -> list[int]:
        inbox = Inbox(a_clock())
        await inbox.add(RETURN_PATH, ROSA, content)
        async with browser(inbox) as client:
            paths = ["/", "/letter/1", "/letter/1?view=source", "/letter/1?view=text", "/letter/1/html"]
            return [(await client.get(path)).status_code for path in paths]

    listed, letter, source, *parts = asyncio.run(load_pages())

    assert (listed, letter, source) == (200, 200, 200)
    assert set(parts) <= {200, 404}
