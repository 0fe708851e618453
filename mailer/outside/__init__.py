"""The rest of the world."""
