"""Which of several Mailman 3 lists is meant."""

from __future__ import annotations

from collections.abc import Collection

from mailer.errors import TableRefused


def choose_list_id(list_ids: Collection[str], wanted: str | None) -> str | None:
    """The id of the list that is asked for as `talk`, `talk@lists.example.org` or `talk.lists.example.org`.

    Of one list it is that one; None where there is none. Raises TableRefused.
    """
    name = (wanted or "").strip().lower().replace("@", ".")
    found = [one for one in list_ids if not name or one.lower() == name or one.lower().partition(".")[0] == name]
    if len(found) == 1:
        return found[0]
    if not list_ids and not wanted:
        return None
    names = ", ".join(sorted(list_ids)) or "none"
    if wanted and not found:
        raise TableRefused(f"has no list called {wanted!r}; there are: {names}")
    raise TableRefused(f"has several lists, {names}: say whose with --source-list")
