"""Messages as octets (RFC 5322, MIME): parsed within bounds, and written."""
