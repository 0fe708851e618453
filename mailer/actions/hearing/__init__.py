"""What the service does with mail that comes in."""
