"""Read the pickle of a Mailman 2.1 list as plain values. Nothing in it is imported, made or called."""

from __future__ import annotations

from typing import Any

from mailer.errors import TableRefused
from mailer.importers.discussion.mailman.pickle_opcodes import PickleArgument, read_opcodes

MAX_PICKLE = 64 << 20
"""The largest pickle, in octets: a list of some 300,000 members."""
_BOUNCE_INFO = ("Mailman.Bouncer", "_BounceInfo")
_MAX_CONTAINERS = 300_000
"""Dictionaries, lists and tuples, which take far more memory than octets in the file."""
_MAX_ITEMS = 2_000_000
"""Of the stack. Old versions put all members on it at once."""
_MAX_SHARED = 1_000_000
_MAX_KEY = 1 << 31
_MAX_DEPTH = 1000
_NEVER = {"R": "to call something", "\x92": "to make an object with arguments", "2": "for a value twice at once"}
_MARK_ENDS = frozenset("tldueoi1\x8f\x90\x91")
_MEMO_WRITES = frozenset("pqr\x94")
_MEMO_READS = frozenset("ghj")
_CONSTANTS = {"N": None, "\x88": True, "\x89": False}
_ARGUMENT_ITSELF = frozenset("IJKMLGFSTUVXBC\x8a\x8b\x8c\x8d\x8e")
_TUPLES = {"\x85": 1, "\x86": 2, "\x87": 3}
_CONTAINERS = frozenset("]}ldt)") | _TUPLES.keys()


class PickledBounces(dict[Any, Any]):
    """The attributes of a Mailman.Bouncer._BounceInfo, the one class that a list's pickle holds."""


class _BounceClass:
    """Stands on the stack where the pickle names that class."""


def read_pickle(octets: bytes) -> object:
    """The value of a pickle of protocol 0 to 4: Python 2's texts as bytes, its unicode as str.

    Raises TableRefused for a pickle that is cut off or too large, and for one that names any other class or function,
    or asks to call one; it says which.
    """
    if len(octets) > MAX_PICKLE:
        raise TableRefused(f"has {len(octets)} octets: no more than {MAX_PICKLE} are read of a pickle")
    return _Machine(_survey(octets)).run(octets)


def _survey(octets: bytes) -> set[Any]:
    """Look at all opcodes before any is followed: the memo's numbers that are read. Raises TableRefused."""
    wanted: set[Any] = set()
    texts: tuple[PickleArgument, ...] = ()
    containers = marks = 0
    for opcode, argument in read_opcodes(octets):
        if opcode in "ci\x93":
            _check_class(argument or texts)
        elif isinstance(argument, str):
            texts = (*texts[-1:], argument)
        elif opcode in _NEVER:
            raise TableRefused(f"asks {_NEVER[opcode]}, which no list of Mailman does: it is not read")
        elif opcode in _MEMO_READS:
            wanted.add(argument)
        containers += opcode in _CONTAINERS
        marks += (opcode == "(") - (opcode in _MARK_ENDS)
        if containers > _MAX_CONTAINERS or marks > _MAX_DEPTH or len(wanted) > _MAX_SHARED:
            raise TableRefused(
                f"holds more than {_MAX_CONTAINERS} dictionaries, lists and tuples, {_MAX_DEPTH} within each other, or"
                f" {_MAX_SHARED} values that are used twice: it is not read"
            )
    return wanted


def _check_class(argument: object) -> None:
    if argument != _BOUNCE_INFO:
        words = argument if isinstance(argument, tuple) else ("?",)
        shown = ".".join(map(str, words))
        raise TableRefused(f"asks for {shown[:100]!r}, which no list of Mailman holds: it is not read")


class _Machine:
    """The stack of a pickle that is read."""

    def __init__(self, wanted: set[Any]) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[Any, Any] = {}
        self.wanted = wanted
        """The memo's numbers that are read again; most are not."""
        self.memoized = 0

    def run(self, octets: bytes) -> object:
        try:
            for opcode, argument in read_opcodes(octets):
                if opcode == ".":
                    return self.stack.pop()
                self.step(opcode, argument)
        except (IndexError, KeyError, TypeError, ValueError):
            raise TableRefused("is damaged: its opcodes do not fit together") from None
        raise TableRefused("is cut off")

    def step(self, opcode: str, argument: PickleArgument) -> None:
        if opcode in _ARGUMENT_ITSELF:
            self.push(argument)
        elif opcode in _MEMO_WRITES:
            self.memoize(argument if opcode != "\x94" else self.memoized)
        elif opcode in _MEMO_READS:
            self.push(self.memo[argument])
        elif opcode in "uesa":
            self.store(opcode)
        elif opcode in _CONTAINERS:
            self.push(self.container(opcode))
        elif opcode in "cio\x93\x81b":
            self.bounce_info(opcode, argument)
        else:
            self.move(opcode)

    def push(self, value: object) -> None:
        self.stack.append(value)
        if len(self.stack) > _MAX_ITEMS:
            raise TableRefused(f"puts more than {_MAX_ITEMS} values on its stack: it is not read")

    def expect(self, kind: type[Any]) -> Any:
        """The value on top, which stays there. TypeError where it is no `kind`."""
        if not isinstance(self.stack[-1], kind):
            raise TypeError
        return self.stack[-1]

    def top(self, count: int) -> list[Any]:
        items = self.stack[-count:]
        if len(items) < count:
            raise IndexError
        del self.stack[-count:]
        return items

    def above_mark(self) -> list[Any]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def memoize(self, number: object) -> None:
        self.memoized += 1
        if number in self.wanted:
            self.memo[number] = self.stack[-1]

    def store(self, opcode: str) -> None:
        """SETITEM, SETITEMS, APPEND, APPENDS."""
        count = {"s": 2, "a": 1}.get(opcode)
        items = self.above_mark() if count is None else self.top(count)
        if opcode in "ea":
            self.expect(list).extend(items)
        else:
            self.expect(dict).update(_pairs(items))

    def container(self, opcode: str) -> object:
        if opcode in _TUPLES:
            return tuple(self.top(_TUPLES[opcode]))
        if opcode in "]})":
            return {"]": [], "}": {}, ")": ()}[opcode]
        items_above = self.above_mark()
        if opcode == "t":
            return tuple(items_above)
        return items_above if opcode == "l" else _pairs(items_above)

    def bounce_info(self, opcode: str, argument: PickleArgument) -> None:
        """GLOBAL, STACK_GLOBAL, INST, OBJ, NEWOBJ, BUILD: for the one class that is known."""
        if opcode == "b":
            state = self.stack.pop()
            if not isinstance(state, dict):
                raise TypeError
            self.expect(PickledBounces).update(state)
            return
        if opcode in "c\x93":
            if opcode == "\x93":
                name, module = self.stack.pop(), self.stack.pop()
                _check_class((module, name))
            self.push(_BounceClass)
            return
        arguments = list(self.stack.pop()) if opcode == "\x81" else self.above_mark()
        known = opcode == "i" or (arguments.pop(0) if opcode == "o" else self.stack.pop()) is _BounceClass
        if arguments or not known:
            raise TableRefused("asks to make an object with arguments, which no list of Mailman does: it is not read")
        self.push(PickledBounces())

    def move(self, opcode: str) -> None:
        """Constants, MARK, POP, POP_MARK; PROTO and FRAME do nothing here."""
        if opcode in _CONSTANTS:
            self.push(_CONSTANTS[opcode])
        elif opcode == "(":
            self.marks.append(len(self.stack))
        elif opcode == "0":
            self.stack.pop()
        elif opcode == "1":
            self.above_mark()
        elif opcode not in "\x80\x95":
            raise TableRefused(f"has the opcode {opcode!r}, which no list of Mailman has: it is not read")


def _pairs(items: list[Any]) -> dict[Any, Any]:
    """A dictionary of keys and values in turn. Its keys are texts, and numbers that do not collide on purpose."""
    if len(items) % 2:
        raise IndexError
    for key in items[::2]:
        for part in key if isinstance(key, tuple) else (key,):
            if not (isinstance(part, bytes | str) or (isinstance(part, int) and abs(part) < _MAX_KEY)):
                raise TableRefused("has a key that is neither a text nor a number: it is not read")
    return dict(zip(items[::2], items[1::2], strict=True))
