"""From a campaign file or a notice to a finished letter."""
