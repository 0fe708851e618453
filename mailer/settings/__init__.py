"""What the organiser of the machine may set."""
