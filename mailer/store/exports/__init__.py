"""Reads for exports: page by page, as texts, and fast."""
