"""Mailboxes that are polled instead."""
