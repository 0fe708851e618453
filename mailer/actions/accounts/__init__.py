"""Organisers: their roles, how they sign in, their sessions."""
