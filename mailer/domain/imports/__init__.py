"""Imports of people, and the lists that moved here from other software."""
