"""Entry points: SMTP, IMAP, HTTP and processes. They translate between a protocol and actions, and decide nothing."""
