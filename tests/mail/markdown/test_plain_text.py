"""Markdown rendered as plain text that reads well."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.compose.merge_field import MergeField, Placeholders
from mailer.mail.markdown.markdown import parse_markdown
from mailer.mail.markdown.plain_text import render_plain_text, wrap


def plain(source: str) -> str:
    return render_plain_text(parse_markdown(source))


def test_plain_text_keeps_what_the_markdown_says():
    source = """# Bring *something*

A jar, **a loaf** or ~~nothing~~ `seeds` &amp; such.\\
See [last year](https://example.org/2025 "Pictures") or <https://example.org/>.

1. one
2. two
   - a
   - b

> Shared is doubled.
>
> > Indeed.

```
  keep   this
```

---

![A basket](https://example.org/basket.jpg) [ada@example.org](mailto:ada@example.org)

| Hour | What |
|------|------|
| 19   | Doors |
"""

    assert (
        plain(source)
        == """Bring something
---------------

A jar, a loaf or nothing seeds & such.
See last year <https://example.org/2025> or https://example.org/.

1. one
2. two
   - a
   - b

> Shared is doubled.
>
> > Indeed.

      keep   this

* * *

[A basket] ada@example.org

Hour | What
------------
19   | Doors"""
    )


def test_a_loose_list_keeps_its_blank_lines():
    assert plain("- one\n\n  more\n- two") == "- one\n\n  more\n\n- two"


def test_a_button_is_its_words_and_its_address_in_two_lines():
    assert plain("[Say that\nyou come](https://forum.example.org/come){.button}") == (
        "Say that you come:\nhttps://forum.example.org/come"
    )


def test_blocks_read_well_without_their_look():
    source = """\
::: callout
**Bring** a jar.

- and seeds
:::

:::: columns
::: column
![Apples](https://example.org/a.jpg "From *last* year")
:::
::: column
Right[^a]
:::
::::

![-](https://example.org/line.png)

::: signature
Rosa Winter
Seed Circle
:::

[^a]: Or left,

    as you like.
"""

    assert (
        plain(source)
        == """| Bring a jar.
|
| - and seeds

[Apples]
From *last* year

Right[1]

Rosa Winter
Seed Circle

[1] Or left,

    as you like."""
    )


def test_the_path_of_a_file_of_ours_becomes_its_url():
    path = "/media/0123456789abcdef0123456789abcdef/programme.pdf"

    text = render_plain_text(parse_markdown(f"[The hours]({path})"), lambda one: f"https://lists.example.org{one}")

    assert text == f"The hours <https://lists.example.org{path}>"


def test_lines_end_before_column_72_but_no_address_is_broken():
    address = "https://example.org/" + "a-long-path/" * 9

    text = plain(f"{'word ' * 40}[here]({address}) {'word ' * 40}")

    assert f"<{address}>" in text
    assert all(len(line) <= 72 or address in line for line in text.split("\n"))


@given(st.text(max_size=120))
def test_plain_text_loses_no_word_of_a_plain_paragraph(source):
    words = re.findall(r"[a-z]+", source.lower())

    paragraph = "x" + " ".join(words)

    assert plain(paragraph).split() == paragraph.split()


def test_a_placeholder_counts_as_wide_as_a_usual_value():
    placeholder = Placeholders.for_text("", (MergeField("name", "friend"),)).for_index(0)
    line = f"{'x' * 64} {placeholder}"

    assert len(line) > 72
    assert wrap(line) == line
