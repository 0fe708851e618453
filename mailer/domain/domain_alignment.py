"""Which domain may speak for another, by their names alone: DMARC's word for it is "aligned"."""

from __future__ import annotations


def is_same_or_parent_domain(domain: str, author: str) -> bool:
    """Whether `domain` may speak for the domain `author` of a From field where no record says anything about it.

    It does for itself and for what is below it, since whoever holds a domain makes those below it; not for what is
    above it, or a tenant of example.org (mallory.example.org) would speak for the landlord. A single label (a top-level
    domain) speaks for nobody but itself.
    """
    return domain == author or ("." in domain and author.endswith(f".{domain}"))


def may_be_aligned(one: str, other: str) -> bool:
    """Whether two domains could be aligned at all, whatever records say: they end in the same two labels."""
    return one == other or one.split(".")[-2:] == other.split(".")[-2:] != [""]
