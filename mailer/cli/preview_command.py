"""`mailer campaign preview`: the letter of a draft, for a reader of the list or an invented one."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mailer.cli.cli_context import AsJson, print_json, print_message, run_action

_PARTS = ("text", "html", "source", "eml")
"""`eml` is the older name of `source`."""

campaign_preview = typer.Typer(rich_markup_mode=None)


@campaign_preview.command("preview")
def preview_(
    campaign_id: int,
    to: Annotated[
        str | None, typer.Option(help="A reader of the list, who is shown what they would get; or any address.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The reader's name, instead of what is known.")] = None,
    language: Annotated[str | None, typer.Option(help="The reader's language, instead of what is known.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="What else is known of the reader, as town=Ankara; may be repeated.")
    ] = None,
    edition: Annotated[str | None, typer.Option(help="The text in this language, whoever would get it.")] = None,
    part: Annotated[str, typer.Option("--as", help="text, html or source (the letter as it goes out).")] = "text",
    as_json: AsJson = False,
) -> None:
    """Print the letter as a reader would get it; its links lead nowhere."""
    from mailer.actions.campaigns.preview import preview
    from mailer.mail.message.letter import decode_part, preview_letter

    if part not in _PARTS:
        print_message(f"mailer: --as {part}: it is text, html or source")
        raise typer.Exit(2)
    known = dict(map(_parse_attribute, attribute or ()))
    previewed = run_action(
        lambda app, actor: preview(
            app, actor, campaign_id, to=to, name=name, language=language, attributes=known, edition=edition
        )
    )
    if to and not previewed.is_reader:
        print_message(
            f"{to} is not a confirmed reader of the list: this is for somebody of whom only what you say is known."
        )
    letter = previewed.letter
    if as_json:
        print_json(preview_letter(letter) | {"edition": previewed.edition, "is_reader": previewed.is_reader})
        return
    is_source = part in ("source", "eml")
    sys.stdout.buffer.write(letter.content if is_source else decode_part(letter, part).encode())


def _parse_attribute(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not (equals and column.strip()):
        print_message(f"mailer: --attribute {text}: it is a column of the people's table and a value, like town=Ankara")
        raise typer.Exit(2)
    return column.strip().lower().replace(" ", "_"), value.strip()
