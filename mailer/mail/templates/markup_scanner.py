"""MarkupScanner: reads the HTML (or MJML) of a template in pieces, between which its expressions stand.

It follows the WHATWG tokenizer (HTML section 13.2.5) for a strict part of HTML, so that where an expression stands is
known before anything is rendered: between tags, in a quoted attribute of a known name, in a style. What browsers
repair, as unquoted values with odd characters or a stray `<`, is refused, so that none reads it another way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from mailer.mail.templates.markup_tags import Attribute, Inserted, Tag
from mailer.mail.templates.template_values import ValueKind


class Mode(StrEnum):
    """Where the scanner stands."""

    CONTENT = "between tags"
    TAG = "inside a tag"
    VALUE = "in an attribute"
    RAW = "in a style or title"
    COMMENT = "in a comment"


RAW_ELEMENTS = {"style", "title", "mj-style", "mj-title", "mj-preview"}
"""Their content is text for the scanner."""
_SPACE = re.compile(r"\s+")
_START = re.compile(r"<([A-Za-z][A-Za-z0-9:-]*)(?=[\s/>])")
_END = re.compile(r"</([A-Za-z][A-Za-z0-9:-]*)\s*>")
_DOCTYPE = re.compile(r"<!doctype html[^<>\[]{0,150}>", re.IGNORECASE)
_CONDITION = re.compile(r"<!--\[if [^\]<>{}]{1,60}\]>(<!-->|<!-- ?-->)?")
_END_SHOWN, _END_CONDITION = "<!--<![endif]-->", "<![endif]-->"
_NAME = re.compile(r"[^\s\"'<>/=\x00]+(?=[\s=/>])")
_EQUALS = re.compile(r"\s*=\s*")
_BARE_VALUE = re.compile(r"[^\s\"'<>=`{}]+(?=[\s>])")
_COMMENT_END = re.compile(r"--!?>")


@dataclass(slots=True)
class MarkupScanner:
    """`feed` text and `insert` expressions in turns, then `close`; `found` is called with each tag when it ends."""

    found: Callable[[Tag], None]
    content: Callable[[str | Inserted, int, bool], None]
    """Called with what stands between tags, its line, and whether only Outlook reads it."""
    refuse: Callable[[int, str], None]
    """Called with each mistake."""
    mode: Mode = Mode.CONTENT
    is_conditional: bool = False
    _tag: Tag = field(default_factory=lambda: Tag("", 0))
    _quote: str = ""
    _text: str = ""
    _at: int = 0
    _line: int = 1

    @property
    def state(self) -> tuple[object, ...]:
        """The same where the same may follow."""
        tag = self._tag.name if self.mode in {Mode.TAG, Mode.VALUE, Mode.RAW} else ""
        return self.mode, self.is_conditional, tag, self._quote if self.mode is Mode.VALUE else ""

    def feed(self, text: str, line: int) -> None:
        """Read text that begins on this line."""
        self._text, self._at, self._line = text, 0, line
        readers = {
            Mode.CONTENT: self._read_content,
            Mode.TAG: self._read_tag,
            Mode.VALUE: self._read_value,
            Mode.RAW: self._read_raw,
            Mode.COMMENT: self._read_comment,
        }
        while self._at < len(self._text):
            readers[self.mode]()

    def insert(self, kind: ValueKind, line: int) -> None:
        """Note that an expression stands here."""
        self._line = line
        if self.mode is Mode.CONTENT:
            self.content(Inserted(kind), line, self.is_conditional)
        elif self.mode is Mode.VALUE:
            self._tag.attributes[-1].pieces.append(Inserted(kind))
        elif self.mode is Mode.RAW and self._tag.content is not None:
            self._tag.content.append(Inserted(kind))
        else:
            self.refuse(line, "an expression inside a tag must stand in a value in quotes, whose name is written out")

    def close(self) -> None:
        """Note the end of the template."""
        if self.mode is not Mode.CONTENT or self.is_conditional:
            what = f"<{self._tag.name}>" if self.mode in {Mode.TAG, Mode.VALUE, Mode.RAW} else "a comment"
            self.refuse(self._tag.line or self._line, f"{what} is not closed before the template ends")

    def _take(self, length: int) -> str:
        taken = self._text[self._at : self._at + length]
        self._at += length
        self._line += taken.count("\n")
        return taken

    def _read_content(self) -> None:
        end = self._text.find("<", self._at)
        end = len(self._text) if end < 0 else end
        if end > self._at:
            line, text = self._line, self._take(end - self._at)
            if self.is_conditional and ("--" in text or text.endswith("-")):
                self.refuse(line, "two hyphens can end the comment for Outlook; only <![endif]--> may")
            self.content(text, line, self.is_conditional)
            return
        if started := _START.match(self._text, self._at):
            self._tag = Tag(started[1].lower(), self._line, is_conditional=self.is_conditional)
            self.mode = Mode.TAG
            self._take(len(started[0]))
        elif ended := _END.match(self._text, self._at):
            line = self._line
            self._take(len(ended[0]))
            self.found(Tag(ended[1].lower(), line, is_end=True, is_conditional=self.is_conditional))
        elif doctype := _DOCTYPE.match(self._text, self._at):
            self._take(len(doctype[0]))
        else:
            self._read_marked()

    def _read_marked(self) -> None:
        """Read what begins with `<!`: a comment, or what only Outlook reads."""
        condition = _CONDITION.match(self._text, self._at)
        if condition and not self.is_conditional:
            self.is_conditional = condition[1] is None
            self._tag = Tag("", self._line)
            self._take(len(condition[0]))
        elif self.is_conditional and self._text.startswith(_END_CONDITION, self._at):
            self.is_conditional = False
            self._take(len(_END_CONDITION))
        elif not self.is_conditional and self._text.startswith(_END_SHOWN, self._at):
            self._take(len(_END_SHOWN))
        elif not self.is_conditional and self._text.startswith("<!--", self._at):
            self._tag = Tag("", self._line)
            self._take(len("<!--"))
            if self._text.startswith((">", "->"), self._at):
                self.refuse(self._line, "a comment begins with <!-- and a word, and ends with -->")
            self.mode = Mode.COMMENT
        else:
            self.refuse(self._line, "this < begins no tag; as a sign write &lt;")
            self._take(1)

    def _read_tag(self) -> None:
        if space := _SPACE.match(self._text, self._at):
            self._take(len(space[0]))
        elif self._text.startswith((">", "/>"), self._at):
            self._tag.is_closed = self._take(1) == "/"
            if self._tag.is_closed:
                self._take(1)
            self._end_tag()
        elif name := _NAME.match(self._text, self._at):
            self._tag.attributes.append(Attribute(name[0].lower(), self._line))
            self._take(len(name[0]))
            self._begin_value()
        else:
            self.refuse(self._line, f"this cannot stand inside the tag <{self._tag.name}>")
            self._take(1)

    def _begin_value(self) -> None:
        if not (equals := _EQUALS.match(self._text, self._at)):
            return
        self._take(len(equals[0]))
        attribute = self._tag.attributes[-1]
        attribute.has_value = True
        if (quote := self._text[self._at : self._at + 1]) in {'"', "'"} and quote:
            self._take(1)
            self._quote, self.mode = quote, Mode.VALUE
        elif bare := _BARE_VALUE.match(self._text, self._at):
            attribute.pieces.append(self._take(len(bare[0])))
        else:
            self.refuse(self._line, f'the value of {attribute.name} must stand in quotes: {attribute.name}="..."')

    def _read_value(self) -> None:
        end = self._text.find(self._quote, self._at)
        attribute = self._tag.attributes[-1]
        if end < 0:
            attribute.pieces.append(self._take(len(self._text) - self._at))
            return
        if end > self._at:
            attribute.pieces.append(self._take(end - self._at))
        self._take(1)
        self.mode = Mode.TAG

    def _end_tag(self) -> None:
        tag = self._tag
        if tag.name in RAW_ELEMENTS and not tag.is_closed:
            tag.content, self.mode = [], Mode.RAW
            return
        self.mode = Mode.CONTENT
        self.found(tag)

    def _read_raw(self) -> None:
        ended = re.compile(rf"</{self._tag.name}\s*>", re.IGNORECASE).search(self._text, self._at)
        end = ended.start() if ended else len(self._text)
        if self._tag.content is not None and end > self._at:
            self._tag.content.append(self._take(end - self._at))
        if ended:
            line = self._line
            self._take(len(ended[0]))
            self.mode = Mode.CONTENT
            self.found(self._tag)
            self.found(Tag(self._tag.name, line, is_end=True, is_conditional=self.is_conditional))

    def _read_comment(self) -> None:
        ended = _COMMENT_END.search(self._text, self._at)
        self._take((ended.end() if ended else len(self._text)) - self._at)
        if not ended:
            # Else its --> could be put together of pieces, and end it for browsers only.
            self.refuse(self._line, "a comment must end before the next {{, {% or {#")
        self.mode = Mode.CONTENT
