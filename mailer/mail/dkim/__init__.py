"""DKIM (RFC 6376): keys, records and signatures; pure."""
