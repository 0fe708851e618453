"""Devices: what a browser calls itself, in words by which people recognise it."""

from __future__ import annotations

import re

UNKNOWN_DEVICE = "an unknown browser"
# Each pretends to be those after it.
_BROWSERS = (
    (r"\bEdg(?:e|A|iOS)?/", "Edge"),
    (r"\bOPR/|\bOpera\b", "Opera"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\bVivaldi/", "Vivaldi"),
    (r"\bFirefox/|\bFxiOS/", "Firefox"),
    (r"\bChromium/", "Chromium"),
    (r"\bHeadlessChrome/|\bChrome/|\bCriOS/", "Chrome"),
    (r"\bVersion/[\d.]+.*\bSafari/", "Safari"),
    (r"\b(curl|Wget|Lynx|w3m|Links|Dillo|NetSurf)\b", ""),
)
_SYSTEMS = (
    (r"\biPhone\b", "iPhone"),
    (r"\biPad\b", "iPad"),
    (r"\bAndroid\b", "Android"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bWindows\b", "Windows"),
    (r"\bMacintosh\b|\bMac OS X\b", "macOS"),
    (r"\bFreeBSD\b", "FreeBSD"),
    (r"\bOpenBSD\b", "OpenBSD"),
    (r"\bLinux\b", "Linux"),
)
_MOST_READ = 500
"""Characters of a User-Agent that are looked at."""


def describe_device(user_agent: str | None) -> str:
    """A few words for a User-Agent field (RFC 9110 section 10.1.5): "Firefox on Linux". Nothing in it is quoted."""
    text = (user_agent or "")[:_MOST_READ]
    browser, system = _first_match(_BROWSERS, text), _first_match(_SYSTEMS, text)
    if browser is None:
        return UNKNOWN_DEVICE if system is None else f"{UNKNOWN_DEVICE} on {system}"
    return browser if system is None else f"{browser} on {system}"


def _first_match(patterns: tuple[tuple[str, str], ...], text: str) -> str | None:
    for pattern, name in patterns:
        if found := re.search(pattern, text):
            return name or found[1]
    return None
