"""The elements and attributes that templates may hold, in HTML and in MJML; all others are refused."""

from __future__ import annotations


def _names(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


ELEMENTS = _names(
    "html head meta title style body table caption colgroup col thead tbody tfoot tr th td div span p br wbr hr",
    "h1 h2 h3 h4 h5 h6 a img strong b em i u s small sub sup code pre blockquote ul ol li dl dt dd del ins mark",
    "center font bdi bdo abbr cite q time section article header footer main nav aside address figure figcaption",
)
OUTLOOK_ELEMENTS = _names(
    "xml noscript o:officedocumentsettings o:allowpng o:pixelsperinch",
    "v:rect v:roundrect v:oval v:textbox v:stroke w:anchorlock",
)
"""What may also stand in comments that only Outlook reads."""
VOID_ELEMENTS = _names("meta br wbr hr img col")
MJML_ELEMENTS = _names(
    "mjml mj-head mj-body mj-title mj-preview mj-style mj-attributes mj-all mj-class mj-breakpoint mj-raw mj-wrapper",
    "mj-section mj-group mj-column mj-text mj-button mj-image mj-divider mj-spacer mj-table",
)
MJML_CONTAINERS = _names("mjml mj-head mj-body mj-attributes mj-wrapper mj-section mj-group mj-column")
"""In these only other elements stand, no text."""
ATTRIBUTES = _names(
    "class id style lang dir title role align valign vertical-align width height bgcolor border color face size",
    "cellpadding cellspacing colspan rowspan scope nowrap headers summary start type reversed datetime",
    "href src alt target rel name content charset http-equiv media",
    "xmlns xmlns:v xmlns:o xmlns:w fillcolor strokecolor stroked strokeweight arcsize inset v:ext o:button o:spt",
)
"""Also every `aria-...`."""
MJML_ATTRIBUTES = _names(
    "align alt background-color border border-bottom border-collapse border-color border-left border-radius",
    "border-right border-spacing border-style border-top border-width cellpadding cellspacing class color",
    "container-background-color css-class dir direction fluid-on-mobile font-family font-size font-style font-weight",
    "full-width gutter height href inline inner-background-color inner-border inner-border-radius inner-padding lang",
    "letter-spacing line-height max-height mj-class name padding padding-bottom padding-left padding-right padding-top",
    "rel role src table-layout target text-align text-decoration text-padding text-transform title vertical-align",
    "width",
)
LITERAL_ATTRIBUTES = _names(
    "name content charset http-equiv media rel target type class id",
    "xmlns xmlns:v xmlns:o xmlns:w v:ext o:button o:spt",
)
"""No expression may stand in these."""
MJML_OPEN_ATTRIBUTES = _names(
    "href src alt title lang dir align text-align direction color background-color border border-bottom border-color",
    "border-left border-right border-top container-background-color inner-background-color",
)
"""In MJML an expression may stand in these only: others are calculated with."""
HTTP_EQUIVALENTS = _names("content-type x-ua-compatible content-language")
