"""Organisers' own templates: what they may hold, what they are given, MJML, and the letters that they are tried on."""
