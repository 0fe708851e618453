"""Tokens of other software: kept as digests, found again, forgotten with their people."""

from __future__ import annotations

from sqlalchemy import Connection, select

from mailer.app import App
from mailer.domain.imports.legacy_list import token_digest
from mailer.store import mailing_lists, subscribers, subscriptions
from mailer.store.imports.import_tables import source_token
from mailer.store.imports.source_tokens import add_tokens, delete_tokens, find_subscription_ids
from tests.support.app_helpers import EMMA, ROSA, import_rows, open_list

EMMAS, ROSAS = "5F0C2A0E-1234-4c7e-9a51-0a1b2c3d4e5f", "0123456789abcdef0123456789abcdef"


async def test_tokens_find_the_subscriptions_of_their_lists(app: App) -> None:
    for name in ("appeals", "walks"):
        await open_list(app, name)
        await import_rows(app, f"{EMMA},,", f"{ROSA},,", list_name=name)

    def remember(tx: Connection, list_name: str, *tokens: tuple[str, str]) -> None:
        ids = subscribers.ids_by_key(tx, [EMMA, ROSA])
        number = mailing_lists.get_by_name(tx, list_name).id
        add_tokens(tx, number, [(token, ids[address]) for token, address in tokens])

    for _ in range(2):
        await app.database.write(remember, "appeals", (EMMAS, EMMA), (ROSAS, ROSA))
    await app.database.write(remember, "walks", (ROSAS, ROSA))

    def found(tx: Connection) -> dict[str, list[tuple[str, int]]]:
        by_token = {token: find_subscription_ids(tx, token) for token in (EMMAS, EMMAS.lower(), ROSAS, "0")}
        return {
            token: [(subscriptions.get(tx, one).address, subscriptions.get(tx, one).mailing_list_id) for one in numbers]
            for token, numbers in by_token.items()
        }

    assert await app.database.read(found) == {
        EMMAS: [(EMMA, 1)],
        EMMAS.lower(): [(EMMA, 1)],
        ROSAS: [(ROSA, 1), (ROSA, 2)],
        "0": [],
    }
    assert set(await app.database.read(lambda tx: tx.execute(select(source_token.c.digest)).scalars().all())) == {
        token_digest(EMMAS),
        token_digest(ROSAS),
    }

    await app.database.write(lambda tx: delete_tokens(tx, [subscribers.ids_by_key(tx, [ROSA])[ROSA]]))

    assert (await app.database.read(found))[ROSAS] == []
    assert (await app.database.read(found))[EMMAS] == [(EMMA, 1)]
