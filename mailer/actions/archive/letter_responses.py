"""What stands below a letter in the archive: what it answers, what answers it, and which pages elsewhere mention it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.language import choose_language
from mailer.domain.letters.archive_paths import ARCHIVE_PAGE, letter_name, own_letter_path, slug_of
from mailer.domain.letters.webmention import mention_host
from mailer.mail.compose.archive_letter import ArchiveArticle
from mailer.mail.compose.campaign_file_fields import ContentSource
from mailer.mail.webmention.citation import cite
from mailer.store.letters import citations, webmentions

_MOST_MENTIONS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterResponses:
    """Each with its words and URL, the oldest first."""

    answers: ContentSource | None
    answered_by: tuple[ContentSource, ...]
    """Letters of public archives here."""
    mentions: tuple[ContentSource, ...]
    """Pages elsewhere that an organiser accepted; the words are theirs."""


async def letter_responses(app: App, campaign_id: int, article: ArchiveArticle) -> LetterResponses:
    """What the page of a letter shows below it, in the language of its edition as far as there is one."""

    def read(tx: Connection) -> LetterResponses:
        answers = article.answers
        cited = own_letter_path(app.site.url, answers.url) if answers and answers.url else None
        titles = citations.load_cited_titles(tx, [(cited.list_name, cited.campaign_id)] if cited else [])
        accepted = webmentions.list_accepted(tx, campaign_id, _MOST_MENTIONS) if app.archive.webmention else []
        return LetterResponses(
            answers=cite(answers, app.site.url, article.language, titles),
            answered_by=tuple(
                _link(app, list_name, number, answering, article.language)
                for (list_name, number), answering in citations.list_answering(tx, campaign_id).items()
            ),
            mentions=tuple(
                ContentSource(text=one.title or mention_host(one.source), url=one.source) for one in accepted
            ),
        )

    return await app.database.read(read)


def _link(app: App, list_name: str, campaign_id: int, titles: dict[str, str], language: str) -> ContentSource:
    """A letter of ours, by its title in this language or its default edition's; `titles` begin with that one."""
    default = next(iter(titles))
    chosen = choose_language([language], titles) or default
    name = letter_name(campaign_id, slug_of(titles[chosen]), None if chosen == default else chosen)
    return ContentSource(text=titles[chosen], url=f"{app.site.url}/{ARCHIVE_PAGE}/{list_name}/{name}")
