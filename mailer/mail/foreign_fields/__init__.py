"""Merge fields and conditions of other services, found in a text, with our form for each."""
