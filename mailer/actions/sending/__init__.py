"""What the service does at the hour: schedule, launch, send, report."""
