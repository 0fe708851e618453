"""Templates as organisers hand them in: one in HTML, one in MJML, and a frame for a single line of either."""

from __future__ import annotations

OWN_HTML = """\
<!doctype html>
<html lang="{{ letter_language }}" dir="{{ letter_dir }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ subject }}</title>
<style>
.card { color: #1d2a2c; text-align: {{ start }}; font-family: Georgia, 'Times New Roman', serif; }
@media (prefers-color-scheme: dark) {
  .card { color: #e2e9e7 !important; background-color: #1b2326 !important }
  .card a { color: {{ colors.dark_accent }} !important }
}
</style>
</head>
<body style="margin:0;background-color:{{ colors.page }}">
{# A comment of Jinja2, and one of HTML: #}
<!-- by the forum -->
<!--[if mso]><table role="presentation" width="600"><tr><td><![endif]-->
<table role="presentation" class="card" width="100%" style="max-width:600px">
<tr><td>
{% if logo %}<img src="{{ logo.url }}" alt="{{ list_title }}" width="{{ logo.width }}">
{% else %}{{ list_title }}{% endif %}
<h1>{{ title }}</h1>
{% if lead %}<p>{{ lead }}</p>{% endif %}
{% if event %}<p>{{ event.name }}: {{ event_date.when }} {{ event_date.clock }}, {{ event.place or "" }}</p>{% endif %}
{{ body }}
{% if action_url %}
<p><a href="{{ action_url }}" style="color:{{ colors.link }}">{{ action_label }}</a></p>
{% endif %}
{% for tag in tags %}{{ tag }}{% if not loop.last %}, {% endif %}{% endfor %}
<p>{{ reason }} {{ words.sender }}</p>
<p>{% for line in postal_lines %}{{ line }}<br>{% endfor %}</p>
<p><a href="{{ leave_url }}">{{ words.leave }}</a></p>
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</body>
</html>
"""
OWN_MJML = """\
<mjml lang="{{ letter_language }}" dir="{{ letter_dir }}">
  <mj-head>
    <mj-title>{{ subject }}</mj-title>
    <mj-preview>{{ preheader }}</mj-preview>
    <mj-attributes>
      <mj-all font-family="Georgia, 'Times New Roman', serif" />
      <mj-text font-size="17px" line-height="1.6" align="{{ start }}" />
    </mj-attributes>
    <mj-style>.card { color: #1d2a2c }</mj-style>
  </mj-head>
  <mj-body background-color="{{ colors.page }}">
    <mj-section>
      <mj-column>
        <mj-text css-class="card"><h1>{{ title }}</h1></mj-text>
        <mj-text>{{ body }}</mj-text>
        <mj-raw>{% if action_url and tags|length < 50 %}</mj-raw>
        <mj-button href="{{ action_url }}" background-color="{{ colors.accent }}" color="{{ colors.on_accent }}">
          {{ action_label or "x < y" }}
        </mj-button>
        <mj-raw>{% endif %}</mj-raw>
        <mj-text>
          {{ reason }}<br>
          {% for line in postal_lines %}{{ line }}<br>{% endfor %}
          <a href="{{ leave_url }}">{{ words.leave }}</a>
        </mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""
LINE_IN_HTML, LINE_IN_MJML = 23, 15
"""Where `with_line` puts its line."""


def with_line(line: str, *, is_mjml: bool = False) -> str:
    """The template with one more line in its middle."""
    lines = (OWN_MJML if is_mjml else OWN_HTML).split("\n")
    lines.insert((LINE_IN_MJML if is_mjml else LINE_IN_HTML) - 1, line)
    return "\n".join(lines)
