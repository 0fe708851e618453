"""Exports of discussion software: members, digests, roles and bans, as people."""
