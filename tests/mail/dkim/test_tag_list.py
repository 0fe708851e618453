"""Tag lists of DKIM and DMARC records."""

from __future__ import annotations

from mailer.mail.dkim.tag_list import parse_tag_list, split_values


def test_tags_are_read_by_name_in_order_without_white_space():
    tags = parse_tag_list(" V = DKIM1 ;k=rsa; p = a b= ; ; x ; =y; k=other")

    assert list(tags.items()) == [("v", "DKIM1"), ("k", "rsa"), ("p", "a b=")]


def test_values_are_separated_by_colons():
    assert split_values("SHA256: sha1") == {"sha256", "sha1"}
