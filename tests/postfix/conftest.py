"""The real Postfix is started only where it is asked for: `make test-postfix`, as root."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("MAILER_TEST_POSTFIX") else ["test_postfix.py"]
