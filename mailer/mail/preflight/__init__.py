"""What receivers and readers would object to in a letter, found in its octets before it is sent."""
