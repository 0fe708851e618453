"""The keys of the console: one table, for the page that lists them and for the elements that they press."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyBinding:
    """What a key, or two keys one after the other, press."""

    name: str
    """Of its sentence in templates/console/keys.html.j2."""
    keys: str
    """As `KeyboardEvent.key` names them: `g t` is g and then t, `Control+s` both at once."""


KEYS = (
    KeyBinding(name="today", keys="g t"),
    KeyBinding(name="campaigns", keys="g c"),
    KeyBinding(name="subscribers", keys="g s"),
    KeyBinding(name="lists", keys="g l"),
    KeyBinding(name="settings", keys="g e"),
    KeyBinding(name="new", keys="n"),
    KeyBinding(name="search", keys="/"),
    KeyBinding(name="down", keys="j"),
    KeyBinding(name="up", keys="k"),
    KeyBinding(name="open", keys="o"),
    KeyBinding(name="close", keys="Escape"),
    KeyBinding(name="save", keys="Control+s"),
    KeyBinding(name="review", keys="Control+Enter"),
    KeyBinding(name="bold", keys="Control+b"),
    KeyBinding(name="italic", keys="Control+i"),
    KeyBinding(name="link", keys="Control+k"),
    KeyBinding(name="help", keys="?"),
)
KEYS_BY_NAME = {one.name: one.keys for one in KEYS}
