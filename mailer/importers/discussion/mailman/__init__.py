"""Readers of what GNU Mailman stores and prints."""
