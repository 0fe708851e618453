"""Posting: the desk at which one worker sends."""
