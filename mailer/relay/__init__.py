"""SMTP out: the relay connections. No other package sends letters."""
