"""Backups: written, and restored."""
