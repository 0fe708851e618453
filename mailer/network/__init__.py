"""Access to other machines and processes: DNS, HTTPS, IMAP, sender authentication, signing."""
