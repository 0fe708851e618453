"""Mail and provider calls that came in: stored, then acted on."""
