"""The nouns, pure: no await, no clock, no file, no SQL."""
