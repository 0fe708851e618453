"""Subscribing, unsubscribing, and the people of a list."""
