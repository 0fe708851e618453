"""Writing a file that was not there."""

from __future__ import annotations

import os
from pathlib import Path


def write_new(file: Path, text: str, mode: int) -> None:
    """Write `text` with `mode` from the first moment on; FileExistsError rather than overwriting."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:
        out.write(text)
