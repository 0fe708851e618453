"""The sending engine: claim, render, hand to the relay, record the outcome."""
