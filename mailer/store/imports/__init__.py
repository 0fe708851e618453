"""Imports of people: their runs, and what each run has changed."""
