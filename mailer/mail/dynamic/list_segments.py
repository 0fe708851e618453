"""The segments of a list as organisers name them: checked before they are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mailer.errors import CampaignFileRefused, LetterRenderFailed, ListDesignRefused
from mailer.mail.compose.dry_run import sample_values
from mailer.mail.compose.dynamic_content import DynamicText, parse_dynamic_text
from mailer.mail.compose.merge_field import Placeholders
from mailer.mail.compose.sandbox import Evaluation
from mailer.mail.dynamic.segment_conditions import SEGMENT

MOST_SEGMENTS = 50
LONGEST_CONDITION = 500
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def check_segments(given: Mapping[str, str]) -> dict[str, str]:
    """Conditions by name, without space around them; an empty one, which removes its segment, is let through.

    Raises ListDesignRefused for a name or a condition that no letter could use.
    """
    stripped = {name: condition.strip() for name, condition in given.items()}
    _check_number(sum(map(bool, stripped.values())))
    for name, condition in stripped.items():
        _check_segment(name, condition)
    return stripped


def merge_segments(present: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """The segments with these changes, as `check_segments` gives them. Raises ListDesignRefused for too many."""
    merged = {name: condition for name, condition in sorted({**present, **changes}.items()) if condition}
    _check_number(len(merged))
    return merged


def _check_number(number: int) -> None:
    if number > MOST_SEGMENTS:
        raise ListDesignRefused(f"{number} segments are too many; the most is {MOST_SEGMENTS}")


def _check_segment(name: str, condition: str) -> None:
    if not _NAME.fullmatch(name):
        raise ListDesignRefused(
            f"{name!r} is no name of a segment: use lower-case letters, digits and _, at most 40, a letter first"
        )
    if len(condition) > LONGEST_CONDITION or not condition.isprintable():
        raise ListDesignRefused(f"the segment {name} must be a condition on one line, at most {LONGEST_CONDITION} long")
    if not condition:
        return
    try:
        text = parse_dynamic_text(f"{{% if {SEGMENT}.{name} %}}x{{% endif %}}", 1, {name: condition})
        _try(text)
    except (CampaignFileRefused, LetterRenderFailed) as refusal:
        raise ListDesignRefused(f"the segment {name}: {refusal.reason}") from None


def _try(text: DynamicText) -> None:
    """Raise LetterRenderFailed if the condition fails for one of the sample readers."""
    for values in sample_values(text.names, [text]):
        text.evaluate(values, Evaluation(Placeholders.for_text(text.source, ())))
