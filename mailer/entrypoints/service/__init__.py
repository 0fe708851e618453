"""`mailer serve` and `mailer worker`: processes and their tasks."""
