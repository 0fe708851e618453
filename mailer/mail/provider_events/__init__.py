"""Provider events: verifying providers' calls, and parsing their bounce and complaint events."""
