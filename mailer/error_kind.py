"""ErrorKind: what sort of failure an error is; each door maps kinds to its codes."""

from __future__ import annotations

from enum import StrEnum


class ErrorKind(StrEnum):
    """What sort of failure an error is. Each door maps kinds to its codes: exit codes, HTTP status, SMTP replies."""

    MISCONFIGURED = "misconfigured"
    """The settings, a secret or the machine must be put right by an administrator first."""
    INVALID = "invalid"
    """An argument is malformed."""
    UNPROCESSABLE = "unprocessable"
    """An address, a file or a request body was read and cannot be used."""
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    """The token or signature does not allow it."""
    FORBIDDEN = "forbidden"
    """The role of whoever asks does not allow it."""
    GONE = "gone"
    """It was possible once, and is not any more."""
    CONFLICT = "conflict"
    """The thing exists already, or is in a state in which this cannot be done."""
    UNAVAILABLE = "unavailable"
    """A part of the service or another server does not answer for now; the same request may succeed later."""
    FAILED = "failed"
    """It was tried and failed for a reason of ours."""
