"""The SMTP and LMTP server."""
