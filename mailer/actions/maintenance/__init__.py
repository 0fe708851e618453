"""Health checks, retention, weekly reports."""
