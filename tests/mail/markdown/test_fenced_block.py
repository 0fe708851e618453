"""Blocks between fences: callouts, columns, signatures, and every way to get their fences wrong."""

from __future__ import annotations

import pytest

from mailer.mail.markdown.markdown import find_faults, parse_markdown, render_html


def html(source: str) -> str:
    return render_html(parse_markdown(source)).strip()


def test_a_callout_is_a_table_that_every_mail_program_knows():
    assert html("::: callout\n**Bring** a jar\n:::") == (
        '<table class="callout" width="100%" role="presentation" cellpadding="0" cellspacing="0" border="0">'
        '<tbody><tr><td class="callout-text">\n<p><strong>Bring</strong> a jar</p>\n</td></tr></tbody></table>'
    )


def test_columns_stand_side_by_side_or_below_each_other_and_in_outlook_in_a_table_of_its_own():
    written = html("::: columns\n::: column\nleft\n:::\n::: column\nright\n:::\n:::")

    assert written.count('<div class="column" style="display:inline-block;') == 2
    assert written.count('<!--[if mso]><td width="50%" valign="top"><![endif]-->') == 2
    assert written.count("<!--[if mso]></td><![endif]-->") == 2
    assert written.startswith('<div class="columns"><!--[if mso]><table width="100%" role="presentation"')
    assert written.endswith("</div><!--[if mso]></td><![endif]--><!--[if mso]></tr></table><![endif]--></div>")
    # A space between them would make them wider than their line.
    assert "</div> <" not in written


def test_three_columns_share_the_width():
    column = "::: column\nx\n:::\n"

    assert html(f"::: columns\n{column * 3}:::").count("width:33.33%") == 3


def test_a_signature_keeps_its_lines():
    assert html("::: signature\nRosa\nSeed Circle\n:::\n\na\nb") == (
        '<div class="signature">\n<p>Rosa<br>\nSeed Circle</p>\n</div>\n<p>a\nb</p>'
    )


@pytest.mark.parametrize(
    "source",
    [
        "text\n::: callout\nx\n:::\ntext",
        ":::callout\nx\n:::::",
        "- item\n\n  ::: callout\n  x\n  :::\n",
        "> ::: callout\n> x\n> :::",
        "::: callout\n```\n:::\n```\n:::",
        "::: callout\n::: callout\nx\n:::\n:::",
        "::: callout\n- a\n:::",
    ],
)
def test_fences_work_wherever_blocks_stand_and_need_no_empty_lines(source: str):
    assert 'class="callout"' in html(source)


def test_a_fence_in_code_is_code():
    assert html("```\n::: callout\n```") == "<pre><code>::: callout\n</code></pre>"
    assert html("    ::: callout") == "<pre><code>::: callout\n</code></pre>"


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("x\n\n::: callout\ny", 3, "never closed"),
        ("- ::: callout\n  x\n\n:::", 1, "never closed"),
        ("> ::: callout\n\n:::", 1, "never closed"),
        ("x\n:::", 2, "closes nothing"),
        ("::: callout\nx\n:::\n\n> :::\n", 5, "closes nothing"),
        ("::: warning\nx\n:::", 1, "no block called 'warning'; there are callout, columns, column, signature"),
        ("::: callout Take care\nx\n:::", 1, "no block called 'callout Take care'"),
        ("::: column\nx\n:::", 1, "can only stand in ::: columns"),
        ("::: columns\n::: column\nx\n:::\nwords\n::: column\ny\n:::\n:::", 5, "only ::: column can stand in"),
        ("::: columns\n::: column\nx\n:::\n:::", 1, "holds 1 ::: column; it takes two or three"),
        ("::: columns\n" + "::: column\nx\n:::\n" * 4 + ":::", 1, "holds 4 ::: column"),
        ("::: columns\n:::", 1, "holds 0"),
        ("> " * 20 + "x", 1, "more than 19 levels"),
        ("::: callout\n" * 20 + ":::\n" * 20, 20, "more than 19 levels"),
    ],
)
def test_what_is_not_whole_is_refused_by_line(source: str, line: int, says: str):
    first = find_faults(source)[0]

    assert first.line == line
    assert says in first.reason


def test_columns_in_a_column_are_refused():
    inner = "::: columns\n::: column\nx\n:::\n::: column\ny\n:::\n:::\n"

    [fault] = find_faults(f"::: columns\n::: column\n{inner}:::\n::: column\nz\n:::\n:::")

    assert (fault.line, fault.reason) == (3, "::: columns cannot stand in a column")


def test_thousands_of_wrong_fences_are_not_told_one_by_one():
    assert len(find_faults(":::\n" * 5000)) == 100


def test_fences_that_close_nothing_do_not_let_lists_get_any_deeper():
    faults = find_faults(":::\n\n" * 200 + "> " * 500 + "x")

    assert {fault.reason.split()[0] for fault in faults} == {"this"}
