"""Checks of a letter's HTML: what mail programs remove, pictures without words, links that lead nowhere."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from mailer.domain.letters.preflight import PreflightResult, PreflightRule, blocking, fine, warning
from mailer.mail.preflight.html_elements import HtmlDocument, HtmlElement
from mailer.mail.preflight.sample_letter import SampleLetter

_ACTIVE = {
    "script",
    "form",
    "iframe",
    "frame",
    "object",
    "embed",
    "input",
    "button",
    "textarea",
    "video",
    "audio",
    "base",
}
_REMOTE_STYLE = re.compile(r"@import|@font-face|url\(\s*[\"']?https?:", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_LOOKS_LIKE_HOST = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:/\S*)?", re.IGNORECASE)
_OTHER_SCHEMES = ("mailto:", "tel:", "cid:", "#")


def check_markup(document: HtmlDocument) -> Iterator[PreflightResult]:
    """Active content, remote styles, and what readers' programs need: language and title."""
    rule = PreflightRule.MARKUP
    active = {one.tag for one in document.elements if one.tag in _ACTIVE}
    active |= {name for one in document.elements for name in one.attributes if name.startswith("on")}
    if active:
        message = f"the HTML holds {', '.join(sorted(active))}, which mail programs remove or distrust"
        yield blocking(rule, message, "Take it out of the template.")
    if any(_REMOTE_STYLE.search(style) for style in document.styles) or any(
        one.tag == "link" and "stylesheet" in one.attributes.get("rel", "").lower() for one in document.elements
    ):
        yield blocking(rule, "the HTML loads styles or fonts from elsewhere", "Take them out of the template.")
    page = next((one for one in document.elements if one.tag == "html"), None)
    if page is None or not page.attributes.get("lang"):
        yield warning(rule, "the HTML does not say its language", 'Its template must: <html lang="…">.')
    if not any(one.tag == "title" for one in document.elements):
        yield warning(rule, "the HTML has no title", "Its template must have one.")


def check_pictures(document: HtmlDocument) -> Iterator[PreflightResult]:
    """Pictures without a text for those who do not see them."""
    pictures = [one for one in document.elements if one.tag == "img" and not _is_pixel(one)]
    without = [one.attributes.get("src", "")[:100] for one in pictures if "alt" not in one.attributes]
    for source in dict.fromkeys(without):
        message = f"a picture has no text for those who do not see it: {source}"
        yield warning(PreflightRule.PICTURE, message, "Write ![what it shows](…).")
    if pictures and not without:
        yield fine(PreflightRule.PICTURE, f"pictures with a text: {len(pictures)}")


def check_links(sample: SampleLetter, document: HtmlDocument, site_url: str) -> Iterator[PreflightResult]:
    """Whether each link, and each picture's address, can lead somewhere; links of this service are not looked at."""
    rule, seen = PreflightRule.LINK, dict[str, None]()
    for element in document.elements:
        for name in ("href", "src"):
            url = sample.without_values(element.attributes.get(name, "")).strip()
            if name not in element.attributes or url in seen or url.startswith(f"{site_url}/"):
                continue
            seen[url] = None
            if (fault := link_fault(url)) is not None:
                yield blocking(rule, f"{fault}: {url[:120] or 'a link without an address'}", "Correct the link.")
    for anchor, words in document.words:
        yield from _check_words(sample, anchor, words)
    if seen:
        yield fine(rule, f"links: {len(seen)}")


def find_web_links(document: HtmlDocument, site_url: str) -> list[str]:
    """The https links of a letter that are not of this service, each once."""
    links = (one.attributes.get("href", "").strip() for one in document.elements if one.tag == "a")
    return list(
        dict.fromkeys(url for url in links if url.startswith("https://") and not url.startswith(f"{site_url}/"))
    )


def link_fault(url: str) -> str | None:
    """Why mail programs or readers stumble over this link; None if they do not."""
    if url.startswith(_OTHER_SCHEMES) and len(url) > 1:
        return None
    try:
        parts = urlsplit(url)
        host, _port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except (ValueError, UnicodeError):
        return "this is no address of a page"
    if parts.scheme == "http":
        return "a link is not https, and mail programs warn of it"
    if parts.scheme != "https" or any(one.isspace() for one in url):
        return "this is no address of a page"
    if _is_ip_address(host):
        return "a link names a number in place of a host, as spam does"
    return None if _HOST.fullmatch(host) else "a link names no host that can be on the web"


def _check_words(sample: SampleLetter, element: HtmlElement, words: str) -> Iterator[PreflightResult]:
    """Words that name another host than their link leads to look like a fraud."""
    match = _LOOKS_LIKE_HOST.fullmatch(sample.without_values(words).strip())
    anchor = next((one for one in element.ancestors() if one.tag == "a"), None)
    if match is None or anchor is None:
        return
    try:
        host = urlsplit(anchor.attributes.get("href", "")).hostname or ""
    except ValueError:
        return
    named = match[1].lower().removeprefix("www.")
    if host and host.removeprefix("www.") != named and not host.endswith(f".{named}"):
        message = f"the words “{words[:60]}” are a link to {host}, which looks like a fraud"
        yield warning(PreflightRule.LINK, message, "Let the words say what is there.")


def _is_pixel(picture: HtmlElement) -> bool:
    return picture.attributes.get("width") == "1" and picture.attributes.get("height") == "1"


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(re.fullmatch(r"[\d.]+", host))
    return True
