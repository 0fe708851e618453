"""The demo: the whole service on one machine, with invented people and an inbox that catches every letter."""
