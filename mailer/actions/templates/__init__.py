"""Organisers' own templates: they are tried, kept in versions, shown and removed."""
