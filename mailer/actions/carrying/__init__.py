"""Carrying: letters to the relay, and what the ledger must know to and fro."""
