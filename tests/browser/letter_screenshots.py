"""Pictures of every letter template, for people to look at: light, dark and from right to left, on a phone and wider.

make screenshots                            or: python -m tests.browser.letter_screenshots --only roundup
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from PIL import Image, ImageDraw
from playwright.async_api import Browser, Page, Route

from mailer.domain.letters.media import picture_size
from mailer.mail.message.letter import decode_part
from tests.letters.sample_letters import LOGO_PATH, SITE, TEMPLATES, make_identity, write_letter
from tests.support.app_helpers import ROOT
from tests.support.browser import Theme, find_chromium, running_chromium

FOLDER = ROOT / "build" / "screenshots" / "letters"
WIDTHS = (375, 700)
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Look:
    """One way in which a letter is looked at."""

    name: str
    language: str
    theme: Theme
    kind: str
    accent_color: str | None = None
    logo: str | None = None


LOOKS = (
    Look("light", "en", "light", "event"),
    Look("dark", "en", "dark", "event"),
    Look("rtl", "ar", "light", "event"),
    Look("picture", "de", "light", "picture", accent_color="#ffd400", logo=LOGO_PATH),
    Look("picture-dark", "tr", "dark", "picture", accent_color="#8a1c5c", logo=LOGO_PATH),
    Look("long", "en", "light", "long"),
    Look("long-dark-rtl", "ar", "dark", "long"),
    Look("short", "zh", "light", "short"),
)


def main() -> int:
    """Take all pictures; exit 1 without a browser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="pictures whose name, like roundup-dark, has this in it")
    # `make screenshots` gives both scripts the same arguments.
    options, _others = parser.parse_known_args()
    executable = find_chromium()
    if executable is None:
        sys.stderr.write("no Chromium here: apt-get install chromium, or set MAILER_TEST_CHROMIUM\n")
        return 1
    began = time.monotonic()
    wanted = [
        (template, look)
        for template in TEMPLATES.letter_names
        for look in LOOKS
        if options.only in f"{template}-{look.name}"
    ]
    taken = asyncio.run(_take_all(executable, wanted))
    sys.stdout.write(f"{taken} pictures of letters in {time.monotonic() - began:.0f} s: {FOLDER}\n")
    return 0


async def _take_all(executable: str, wanted: list[tuple[str, Look]]) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with running_chromium(executable) as browser:
        limit = asyncio.Semaphore(_AT_ONCE)

        async def take(template: str, look: Look, width: int) -> None:
            async with limit:
                await _take(browser, template, look, width)

        await asyncio.gather(*(take(template, look, width) for template, look in wanted for width in WIDTHS))
    return len(wanted) * len(WIDTHS)


async def _take(browser: Browser, template: str, look: Look, width: int) -> None:
    async with open_letter(browser, template, look, width=width) as page:
        await page.screenshot(path=FOLDER / f"{template}-{look.name}-{width}.png", full_page=True)


@asynccontextmanager
async def open_letter(browser: Browser, template: str, look: Look, *, width: int) -> AsyncIterator[Page]:
    """A window of `width` pixels with a sample letter in it; its pictures are drawn here."""
    identity = make_identity(look.language, accent_color=look.accent_color, logo=look.logo)
    html = decode_part(write_letter(template, look.language, look.kind, identity), "html")
    context = await browser.new_context(viewport={"width": width, "height": 600}, color_scheme=look.theme)
    try:
        await context.route("**/*", lambda route: _answer(route, html))
        page = await context.new_page()
        await page.goto(f"{SITE.url}/")
        yield page
    finally:
        await context.close()


async def _answer(route: Route, html: str) -> None:
    path = route.request.url.removeprefix(SITE.url)
    if size := picture_size(path):
        await route.fulfill(body=_draw(size, path.endswith(".png")), content_type="image/png")
    else:
        await route.fulfill(body=html, content_type="text/html; charset=utf-8")


def _draw(size: tuple[int, int], is_logo: bool) -> bytes:
    """Three baskets of apples; or, for a logo, a dark ring on nothing."""
    width, height = size
    image = Image.new("RGBA", size, (0, 0, 0, 0) if is_logo else (201, 222, 205, 255))
    draw = ImageDraw.Draw(image)
    if is_logo:
        draw.ellipse((10, 10, height - 10, height - 10), outline=(30, 50, 46), width=14)
        draw.rectangle((height + 10, height * 0.4, width - 10, height * 0.6), fill=(30, 50, 46))
    else:
        draw.rectangle((0, height * 0.7, width, height), fill=(148, 112, 78))
        for basket in range(3):
            left = width * (0.08 + 0.31 * basket)
            for apple in range(4):
                x, y = left + width * 0.055 * apple, height * (0.42 + 0.05 * (apple % 2))
                draw.ellipse((x, y, x + width * 0.09, y + width * 0.09), fill=(184, 40 + 12 * apple, 44))
            draw.rectangle((left, height * 0.55, left + width * 0.25, height * 0.8), fill=(196, 158, 104))
    octets = io.BytesIO()
    image.save(octets, "PNG")
    return octets.getvalue()


if __name__ == "__main__":
    sys.exit(main())
