"""The real Dovecot is started only where it is asked for: `make test-dovecot`, as root."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("MAILER_TEST_DOVECOT") else ["test_dovecot.py"]
