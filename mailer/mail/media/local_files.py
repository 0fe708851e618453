"""Files beside a campaign file that it names: pictures, links to files, attachments; and their paths here instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import yaml

from mailer.domain.letters.media import PATH
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.front_matter import (
    FrontMatterField,
    normalize_line_ends,
    parse_front_matter,
    split_front_matter,
)
from mailer.mail.compose.letter_fields import join_fields
from mailer.mail.markdown.markdown import find_links
from mailer.mail.media.attachment import KINDS
from mailer.mail.media.media_name import extension_of

_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#|\?")
"""How an address begins that is no file: with a scheme, a host or a place on the page."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One file that a text names."""

    name: str
    """As it stands in the text, perhaps percent-encoded."""
    line: int
    """The line of the campaign file on which it stands first."""
    is_shown: bool = False
    """Whether it stands as a picture."""

    @property
    def path(self) -> str:
        """Below the folder of the campaign file, with slashes."""
        return unquote(self.name)


def find_local_files(text: str) -> tuple[LocalFile, ...]:
    """The files beside a campaign file that it names, each once.

    Raises CampaignFileRefused, with the line, for a path that is absolute or leads out of the folder, and if the
    front matter cannot be read.
    """
    front_matter, body, body_line = split_front_matter(normalize_line_ends(text))
    found: dict[str, LocalFile] = {}
    for one in (*_attached(front_matter), *_named(body, body_line)):
        if not (_ELSEWHERE.match(one.name) or PATH.fullmatch(one.name) or "{" in one.name or not one.name):
            _refuse_outside(one)
            if one.name not in found or (one.is_shown and not found[one.name].is_shown):
                found[one.name] = one
    return tuple(found.values())


def name_local_files(text: str, paths: Mapping[str, str]) -> str:
    """The text with a path of a media file in place of each of these names."""
    text = normalize_line_ends(text)
    front_matter, body, _ = split_front_matter(text)
    attached = [paths.get(one.name, one.name) for one in _attached(front_matter)]
    for name, path in paths.items():
        # In a link `](name "title")`, `](<name>)`, or in a definition `[word]: name`.
        body = re.sub(rf"(\](?:\(|:)[ \t]*)<?{re.escape(name)}>?(?=[\s)]|$)", rf"\1{path}", body)
    return join_fields(text, {"body": body, "attachments": ", ".join(attached)})


def _attached(front_matter: str) -> Iterator[LocalFile]:
    root = parse_front_matter(front_matter).node
    for key, node in root.value if isinstance(root, yaml.MappingNode) else ():
        if getattr(key, "value", None) == "attachments" and isinstance(node, yaml.SequenceNode):
            for entry in FrontMatterField("attachments", node, key.start_mark.line + 2).items():
                yield LocalFile(entry.text(), entry.line)


def _named(body: str, body_line: int) -> Iterator[LocalFile]:
    for one in find_links(body, body_line):
        # A link may lead to a page of any name; it is a file's where its name says which kind of file.
        if one.is_image or extension_of(unquote(one.url)) in KINDS:
            yield LocalFile(one.url, one.line, one.is_image)


def _refuse_outside(one: LocalFile) -> None:
    parts = one.path.replace("\\", "/").split("/")
    if not parts[0] or ".." in parts or "\\" in one.path or "\0" in one.path or parts[0].startswith("~"):
        raise CampaignFileRefused(
            f"{one.name!r} is not in the folder of the campaign file: put the file there, or add it by"
            " `mailer media add` and name the path that this prints",
            one.line,
        )
