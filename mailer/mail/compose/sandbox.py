"""The Jinja2 sandbox for dynamic content: strings, numbers and flat lists, with limits on work and size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailer.mail.compose.merge_field import MergeField, Placeholders, clean_text
from mailer.mail.dynamic.local_filters import LOCAL_FILTERS

EVALUATION_KEY = "the run"
"""Name of the Evaluation among the recipient's values; no campaign file can spell a name with a space."""
MOST_STEPS = 100_000
"""Of one evaluation: loop iterations, each weighted by the size of the loop's body, and characters processed.

Counted, not timed (about 50 ms), so that what passed the dry run also renders on a busy machine.
"""
METHODS = frozenset(
    {"capitalize", "casefold", "count", "endswith", "find", "index", "isalpha", "isdecimal", "isdigit", "lower"}
    | {"lstrip", "removeprefix", "removesuffix", "replace", "rfind", "rsplit", "rstrip", "split", "startswith"}
    | {"strip", "swapcase", "title", "upper"}
)
"""Methods of strings and lists that may be called; none lets text grow more than `replace` does."""
TESTS = frozenset({"divisibleby", "even", "odd"})
LOOP_ATTRIBUTES = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
_LONGEST_TEXT = 10_000
_LONGEST_ARGUMENT = 200
_MOST_ITERATIONS = 1000
_LARGEST_NUMBER = 10**6


class MergeValue(str):
    """The value of a merge field within dynamic content; all its occurrences share one placeholder, as elsewhere."""

    merge_field: MergeField
    __slots__ = ("merge_field",)


@dataclass(slots=True)
class Evaluation:
    """The state of one evaluation: the steps used, and the values that its placeholders stand for."""

    placeholders: Placeholders
    language: str = "en"
    """The letter's, in which numbers and dates are written."""
    values: list[str] = field(default_factory=list)
    steps: int = 0
    _merge_values: dict[tuple[MergeField, str], str] = field(default_factory=dict, init=False)

    def count_steps(self, steps: int) -> None:
        """Add to the steps. Raises SecurityError beyond MOST_STEPS."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise SecurityError("it takes too many steps; loop over less")

    def add_value(self, value: str) -> str:
        """Keep a value; returns the placeholder that stands for it in the text."""
        if not isinstance(value, MergeValue):
            self.values.append(clean_text(value))
            return self.placeholders.for_index(len(self.values) - 1)
        if (known := self._merge_values.get((value.merge_field, value))) is None:
            self.values.append(str(value))
            known = self._merge_values[value.merge_field, value] = self.placeholders.for_index(len(self.values) - 1)
        return known


class Sandbox(ImmutableSandboxedEnvironment):
    """A Jinja2 environment in which only METHODS and range can be called, and sizes are limited."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self) -> None:
        # "{#" is plain text in a campaign file, so comments get delimiters that no campaign file holds.
        super().__init__(
            comment_start_string="\x00#",
            comment_end_string="#\x00",
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=StrictUndefined,
            optimized=False,
            finalize=_to_placeholder,
        )
        self.globals = {"range": _range}
        self.tests = {name: self.tests[name] for name in TESTS}
        self.filters = {
            "each_": _limit_loop,
            "merge_": _to_merge_value,
            "joined_": _limit_filter(_join),
            **{name: _limit_filter(work) for name, work in _FILTERS.items()},
            **{name: _limit_filter(work, with_language=True) for name, work in LOCAL_FILTERS.items()},
        }

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a string or list, or range. Raises SecurityError for anything else."""
        value = getattr(called, "__self__", None)
        if called is _range:
            return _range(*args)
        if type(value) not in (str, list) or called.__name__ not in METHODS or kwargs:
            raise SecurityError("only methods of text and lists can be called")
        _check_arguments(context, value, args)
        return _check_result(context, called(*args))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Concatenate strings, or calculate with numbers up to a million. Raises SecurityError for anything else."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _check_result(context, left + right)
        for number in (left, right):
            if not isinstance(number, int | float) or abs(number) > _LARGEST_NUMBER:
                raise SecurityError(f"{operator} takes numbers up to a million; ~ joins texts")
        return self.binop_table[operator](left, right)


def _limit_filter(function: Callable[..., Any], *, with_language: bool = False) -> Callable[..., Any]:
    """`function` as a filter that counts steps and limits the length of arguments and results.

    It is given the letter's language after the value, if it asks for it.
    """

    @pass_context
    def counted(context: Context, value: Any, *args: Any) -> Any:
        if isinstance(value, Undefined):
            str(value)  # raises UndefinedError, which names the missing value
        _check_arguments(context, value, args)
        language = (context.parent[EVALUATION_KEY].language,) if with_language else ()
        return _check_result(context, function(value, *language, *args))

    return counted


def _check_arguments(context: Context, value: Any, args: tuple[Any, ...]) -> None:
    context.parent[EVALUATION_KEY].count_steps(1 + _size(value))
    if any(_size(argument) > _LONGEST_ARGUMENT for argument in args):
        raise SecurityError(f"more than {_LONGEST_ARGUMENT} characters are given to a filter or a method")


def _check_result(context: Context, result: Any) -> Any:
    size = _size(result)
    context.parent[EVALUATION_KEY].count_steps(size)
    if size > _LONGEST_TEXT:
        raise SecurityError(f"it makes more than {_LONGEST_TEXT} characters")
    return result


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(map(_size, value)) + len(value) if isinstance(value, list | tuple) else 1


@pass_context
def _limit_loop(context: Context, value: Any, cost: int) -> list[Any]:
    """The list that a loop goes over: at most 1000 iterations, each counted as `cost` steps."""
    if not isinstance(value, list | tuple | range | str):
        raise SecurityError("only a list can be looped over; `split` makes one of a text")
    if len(value) > _MOST_ITERATIONS:
        raise SecurityError(f"a loop has at most {_MOST_ITERATIONS} turns")
    context.parent[EVALUATION_KEY].count_steps(len(value) * cost)
    return list(value)


@pass_context
def _to_placeholder(context: Context, value: Any) -> str:
    """The placeholder for the result of an expression, whose value is added to the evaluation."""
    if isinstance(value, Undefined):
        str(value)  # raises UndefinedError, which names the missing value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise SecurityError("only a text or a number can stand in a letter; `join` makes a text of a list")
    return str(context.parent[EVALUATION_KEY].add_value(value if isinstance(value, str) else str(value)))


def _to_merge_value(value: Any, name: str, fallback: str) -> MergeValue:
    merge_field = MergeField(name, clean_text(fallback))
    merge_value = MergeValue(merge_field.value_for({name: str(value)}))
    merge_value.merge_field = merge_field
    return merge_value


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > _MOST_ITERATIONS:
        raise SecurityError(f"a range has at most {_MOST_ITERATIONS} numbers")
    return numbers


def _join(value: Any, separator: str = "") -> str:
    items = list(value)
    if not all(isinstance(item, str | int | float) for item in items):
        raise SecurityError("only texts and numbers can be joined")
    return separator.join(map(str, items))


def _to_number(value: Any, kind: type[int] | type[float]) -> Any:
    """The number that `value` spells, or 0 for anything else, missing values included."""
    try:
        return kind(value)
    except (TypeError, ValueError, OverflowError):
        return kind(0)


def _round(value: float) -> int:
    return round(value)


_FILTERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "capitalize": lambda value: value.capitalize(),
    "default": lambda value, fallback="": value or fallback,
    "first": lambda value: value[0] if value else "",
    "float": lambda value: _to_number(value, float),
    "int": lambda value: _to_number(value, int),
    "join": _join,
    "last": lambda value: value[-1] if value else "",
    "length": len,
    "list": list,
    "lower": lambda value: value.lower(),
    "replace": lambda value, old, new: value.replace(old, new),
    "reverse": lambda value: value[::-1],
    "round": _round,
    "sort": sorted,
    "title": lambda value: value.title(),
    "trim": lambda value: value.strip(),
    "unique": lambda value: list(dict.fromkeys(value)),
    "upper": lambda value: value.upper(),
}
FILTERS = frozenset({*_FILTERS, *LOCAL_FILTERS})
"""The names of the filters that a campaign file may use, as in `{{ name|upper }}`."""
