"""A shell in a folder, where `mailer` commands are typed."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.warm_mailer import warm_mailer


class Terminal:
    """A shell in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, code: int = 0, **environment: str) -> str:
        """Run `mailer WORDS`; what it printed on stdout. `said` keeps stderr."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
        done = warm_mailer()(words, self.folder, clean | {"COLUMNS": "120"} | environment)
        assert done.code == code, done.stderr
        self.said = done.stderr
        return done.stdout

    def replace_setting(self, old: str, new: str) -> None:
        """Replace a text that is in the settings."""
        file = self.folder / "settings.toml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
