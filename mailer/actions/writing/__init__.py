"""What organisers do: open lists, bring people, write campaigns."""
