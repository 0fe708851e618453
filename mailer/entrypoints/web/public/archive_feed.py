"""The Atom feed (RFC 4287) of a public archive, of all letters or of those in one language."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

from feedgenerator import Atom1Feed
from starlette.requests import Request
from starlette.responses import Response

from mailer.actions.archive.archive_feed import FeedEntry, archive_feed
from mailer.actions.archive.open_archive import OpenArchive, open_public
from mailer.app import App
from mailer.entrypoints.web.public.archive_responses import archive_response, place_pictures
from mailer.entrypoints.web.responses import get_app

MEDIA_TYPE = "application/atom+xml; charset=utf-8"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# Of what campaign files may hold, XML 1.0 has no place for these.
_NOT_XML = re.compile("[\ufffe\uffff]")


async def show_feed(request: Request) -> Response:
    """The last letters, whole."""
    app, language = get_app(request), request.path_params.get("language")
    archive = await open_public(app, request.path_params["name"])
    entries = await archive_feed(app, archive, language)
    # In a thread: twenty long letters take a quarter of a second, and anybody may ask.
    body = await asyncio.to_thread(write_feed, app, archive, language, entries)
    return archive_response(request, body, MEDIA_TYPE, headers={"Access-Control-Allow-Origin": "*"})


def write_feed(app: App, archive: OpenArchive, language: str | None, entries: tuple[FeedEntry, ...]) -> str:
    """The feed as XML; the same for the same entries."""
    mailing_list, url = archive.mailing_list, f"{app.site.url}{archive.path}"
    own = f"{url}/feed.{language}.atom" if language else f"{url}/feed.atom"
    feed = _Feed(
        title=_xml(mailing_list.title),
        link=url,
        description=_xml(mailing_list.description),
        language=language or mailing_list.language,
        author_name=_xml(app.site.name),
        feed_url=own,
        feed_guid=own,
    )
    for one in entries:
        article = one.article
        feed.add_item(
            title=_xml(article.title),
            link=f"{url}/{one.name}",
            description=None,
            content=_xml(_content(app, one)),
            unique_id=f"{url}/{one.lasting_name}",
            pubdate=one.launched_at,
            updateddate=one.changed_at,
            categories=[_xml(tag) for tag in article.tags],
            language=article.language,
        )
    return str(feed.writeString("utf-8"))


def _content(app: App, entry: FeedEntry) -> str:
    """The letter as HTML, with the addresses of its pictures whole."""
    body = place_pictures(entry.article.body, app.site.url)
    values = {"article": entry.article, "body": body, "base": None, "files": app.site.url}
    return app.templates.render("pages/archive_article.html", entry.words_in, **values)


def _xml(text: str) -> str:
    return _NOT_XML.sub(" ", text)


class _Feed(Atom1Feed):  # type: ignore[misc]  # it has no types
    """A feed whose entries name their language, and which is the same whenever it is written."""

    def item_attributes(self, item: dict[str, Any]) -> dict[str, str]:
        """The attributes of an entry."""
        return {"xml:lang": item["language"]}

    def latest_post_date(self) -> datetime:
        """When the feed was changed last; without entries long ago."""
        return max((one["updateddate"] for one in self.items), default=_NEVER)
