"""How blocks of our own are written as HTML: tables and plain tags, for mail programs know little else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

TABLE_VALUES = {
    "role": {"presentation"},
    "width": {"100%"},
    "cellpadding": {"0"},
    "cellspacing": {"0"},
    "border": {"0"},
}
"""The attributes of a table that is there for its look alone."""
CLASSES = {
    "table": {"button-row", "callout", "data"},
    "td": {"button", "callout-text"},
    "div": {"figure", "columns", "column", "footnotes", "signature"},
    "img": {"full"},
    "p": {"caption"},
    "sup": {"footnote"},
    "br": {"mso-columns-open", "mso-columns-close", "mso-column-open-2", "mso-column-open-3", "mso-column-close"},
}
"""Those by which templates style blocks; `br` are marks that `finish_columns` replaces."""
# Two of the least width do not fit on a phone, and so stand one below the other, also where media queries are unknown.
_COLUMN = "display:inline-block;box-sizing:border-box;width:{};min-width:{}px;vertical-align:top"
_COLUMN_STYLES = {2: _COLUMN.format("50%", 200), 3: _COLUMN.format("33.33%", 150)}
COLUMN_STYLES = set(_COLUMN_STYLES.values())
_TABLE = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
_FULL_TABLE = f'width="100%" {_TABLE}'
_MARK = re.compile(r'<br class="(mso-[a-z0-9-]+)">')
_OUTLOOK = {
    "mso-columns-open": f"<table {_FULL_TABLE}><tr>",
    "mso-columns-close": "</tr></table>",
    "mso-column-open-2": '<td width="50%" valign="top">',
    "mso-column-open-3": '<td width="33%" valign="top">',
    "mso-column-close": "</td>",
}
_FIXED = {
    "button_open": f'<table class="button-row" {_TABLE}><tbody><tr><td class="button">',
    "button_close": "</td></tr></tbody></table>\n",
    "callout_open": f'<table class="callout" {_FULL_TABLE}><tbody><tr><td class="callout-text">\n',
    "callout_close": "</td></tr></tbody></table>\n",
    "columns_open": '<div class="columns"><br class="mso-columns-open">',
    "columns_close": '<br class="mso-columns-close"></div>\n',
    "column_close": '</div><br class="mso-column-close">',
    "figure_open": '<div class="figure">',
    "signature_open": '<div class="signature">\n',
    "signature_close": "</div>\n",
    "footnotes_open": '<div class="footnotes">\n<ol>\n',
    "footnotes_close": "</ol>\n</div>\n",
    "footnote_open": "<li>",
    "footnote_close": "</li>\n",
}


def add_html_rules(markdown: MarkdownIt) -> None:
    """Have `markdown` write the blocks of this room."""
    for name, html in _FIXED.items():
        markdown.add_render_rule(name, _write_fixed(html))
    markdown.add_render_rule("column_open", _write_column)
    markdown.add_render_rule("figure_close", _write_caption)
    markdown.add_render_rule("footnote_ref", _write_footnote_number)


def finish_columns(html: str) -> str:
    """The HTML with columns also as a table that Outlook alone sees, for it knows no inline-block.

    Only `br` with a class of CLASSES are replaced: no campaign file can spell one, since its HTML is text.
    """
    return _MARK.sub(lambda match: f"<!--[if mso]>{_OUTLOOK[match[1]]}<![endif]-->", html)


def _write_fixed(html: str) -> Callable[..., str]:
    def write(_renderer: Any, _tokens: Sequence[Token], _at: int, _options: Any, _env: Any) -> str:
        return html

    return write


def _write_column(_renderer: Any, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    # No white space between two columns: as text it would take room in the line that they share.
    of = tokens[at].meta["of"]
    return f'<br class="mso-column-open-{of}"><div class="column" style="{_COLUMN_STYLES[of]}">\n'


def _write_caption(_renderer: Any, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    return f'<p class="caption">{escape(tokens[at].meta["caption"])}</p></div>\n'


def _write_footnote_number(_renderer: Any, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    # No link: mail programs open a place within a letter as a page of its own, or not at all.
    return f'<sup class="footnote">{tokens[at].meta["number"]}</sup>'
