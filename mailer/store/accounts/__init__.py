"""Organisers, their roles and sessions, and the audit log."""
