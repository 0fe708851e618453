"""The rest of the world: DNS, HTTPS, IMAP, sender authentication, and processes that sign."""
