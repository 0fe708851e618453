"""Mailing lists: add, set, show."""
