"""The command line: `mailer ...`; results on stdout, everything else on stderr."""
