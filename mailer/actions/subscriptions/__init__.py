"""Joining, leaving and the people of a list."""
