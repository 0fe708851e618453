"""Exporting people and lists, whole and one by one."""
