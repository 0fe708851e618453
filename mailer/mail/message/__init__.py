"""Parsing and writing mail messages (RFC 5322, MIME)."""
