"""Returning: what comes back of our letters, and what is done about it."""
