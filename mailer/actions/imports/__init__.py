"""Importing people: what an import would do, doing it, and undoing it."""
