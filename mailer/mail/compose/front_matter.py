"""The front matter of a campaign file: YAML between `---` lines, parsed with the line of each value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

import yaml

from mailer.errors import CampaignFileRefused

_FENCE = "---"
_NULL_TAG = "tag:yaml.org,2002:null"


def normalize_line_ends(text: str) -> str:
    """The text with "\\n" at the end of each line, and without a byte order mark."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def split_front_matter(text: str) -> tuple[str, str, int]:
    """(front matter, body, line on which the body begins) of a campaign file with "\\n" line ends.

    Raises CampaignFileRefused if one of the `---` lines is missing.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        raise CampaignFileRefused("a campaign file begins with --- and keys such as subject:, closed by another ---", 1)
    for place, line in enumerate(lines[1:], 1):
        if line.rstrip() == _FENCE:
            return "\n".join(lines[1:place]), "\n".join(lines[place + 1 :]), place + 2
    raise CampaignFileRefused("the --- that closes the front matter is missing; add it after the last key", 1)


def parse_front_matter(front_matter: str) -> FrontMatterField:
    """The whole front matter as one field. Raises CampaignFileRefused with the line if it is not YAML."""
    try:
        node = yaml.compose(front_matter, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = _line_in_file(mark) if mark else 2
        raise CampaignFileRefused(
            f"not YAML: {error.problem or error.context}{_quoting_advice(front_matter, line)}", line
        ) from None
    except (yaml.YAMLError, RecursionError):
        raise CampaignFileRefused("not YAML that can be read: check brackets, quotes and indentation", 2) from None
    return FrontMatterField(
        "the front matter", node if node is not None else yaml.MappingNode("tag:yaml.org,2002:map", []), 2
    )


@dataclass(frozen=True, slots=True)
class FrontMatterField:
    """One value of the front matter: its name (for messages), its YAML node, its line in the file."""

    name: str
    node: yaml.Node
    line: int

    def error(self, reason: str) -> CampaignFileRefused:
        """An error to raise that says what is wrong with this field, with its line."""
        return CampaignFileRefused(f"{self.name} {reason}", self.line)

    @property
    def is_empty(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and (self.node.tag == _NULL_TAG or not self.node.value.strip())

    @property
    def is_text(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode)

    @property
    def text_line(self) -> int:
        """The line on which the text begins; the text of a block (`|`, `>`) begins on the line below its key."""
        return self.line + (isinstance(self.node, yaml.ScalarNode) and self.node.style in {"|", ">"})

    def text(self) -> str:
        """The text as written; `title: 2026` and `title: Yes` are texts.

        Raises CampaignFileRefused for a list or mapping.
        """
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error("must be text (in quotes, if it begins with a bracket or a brace)")
        return "" if self.node.tag == _NULL_TAG else str(self.node.value).strip()

    def items(self) -> list[FrontMatterField]:
        """The entries of a list. Raises CampaignFileRefused for anything else."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error("must be a list, like [harvest, autumn]")
        return [
            FrontMatterField(f"{self.name} entry", node, _line_in_file(node.start_mark)) for node in self.node.value
        ]

    def keys(self, known: Collection[str]) -> dict[str, FrontMatterField]:
        """The fields under this one, by key, without empty ones.

        Raises CampaignFileRefused, naming the key, for one that is not in `known` or that occurs twice.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"must hold the keys {', '.join(known)}")
        fields: dict[str, FrontMatterField] = {}
        for key, node in self.node.value:
            line = _line_in_file(key.start_mark)
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "a list or mapping"
            if name not in known:
                raise CampaignFileRefused(f"there is no key {name!r}{_suggest_key(name, known)}", line)
            if name in fields:
                raise CampaignFileRefused(f"{name} occurs a second time; remove one of them", line)
            fields[name] = FrontMatterField(name, node, line)
        return {name: field for name, field in fields.items() if not field.is_empty}

    def require_keys(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, FrontMatterField]:
        """The fields under this one: all `required` ones, and those of `optional` that are given.

        Raises CampaignFileRefused if a required one is missing.
        """
        parts = self.keys((*required, *optional))
        for name in required:
            if name not in parts:
                raise self.error(f"needs {name}")
        return parts


def _line_in_file(mark: yaml.Mark) -> int:
    # YAML counts lines from 0, and the first line of the file is the `---`.
    return mark.line + 2


def _suggest_key(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name.lower(), known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; the keys are {', '.join(known)}"


def _quoting_advice(front_matter: str, line: int) -> str:
    lines = front_matter.split("\n")
    wrong = lines[line - 2] if line - 2 < len(lines) else ""
    if "{{" in wrong:
        return "; put a text with a merge field in 'single quotes'"
    return "; put a text with a colon in 'single quotes'" if wrong.count(": ") > 1 else ""
