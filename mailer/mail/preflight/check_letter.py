"""All checks of one letter as it would go to one person."""

from __future__ import annotations

from mailer.domain.letters.preflight import PreflightResult
from mailer.mail.preflight.check_contrast import check_contrast
from mailer.mail.preflight.check_header import check_header, check_signature
from mailer.mail.preflight.check_html import check_links, check_markup, check_pictures
from mailer.mail.preflight.check_parts import check_leftovers, check_plain_text, check_size, check_subject
from mailer.mail.preflight.html_elements import read_html
from mailer.mail.preflight.sample_letter import SampleLetter


def check_letter(sample: SampleLetter, *, site_url: str, signing_domain: str | None) -> tuple[PreflightResult, ...]:
    """Everything that receivers and readers would object to, and what is in order.

    `signing_domain` is the domain that signs for this From; None: none does.
    """
    document = read_html(sample.html)
    return (
        *check_subject(sample),
        *check_size(sample),
        *check_plain_text(sample),
        *check_leftovers(sample),
        *check_header(sample),
        *check_signature(sample, signing_domain),
        *check_markup(document),
        *check_pictures(document),
        *check_contrast(document),
        *check_links(sample, document, site_url),
    )
