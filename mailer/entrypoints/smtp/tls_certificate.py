"""The certificate that STARTTLS shows, read anew when its file changes."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import structlog

from mailer.errors import SettingsRefused

_log = structlog.get_logger()


class Certificate:
    """A certificate chain and its private key, from files (PEM) that others renew."""

    def __init__(self, chain: Path, key: Path | None) -> None:
        """SettingsRefused, naming the file, where it cannot be read."""
        self._files = (chain,) if key is None else (chain, key)
        self._read_at = self._changed_at()
        self._context = self._load()

    async def context(self) -> ssl.SSLContext:
        """For one connection, from the files as they are now; while those cannot be read, as they were."""
        changed_at = await asyncio.to_thread(self._changed_at)
        if changed_at != self._read_at:
            self._read_at = changed_at
            try:
                self._context = await asyncio.to_thread(self._load)
            except SettingsRefused as trouble:
                _log.error("certificate", trouble=str(trouble), goes_on_with="the one before")
            else:
                _log.info("certificate read anew", file=str(self._files[0]))
        return self._context

    def _changed_at(self) -> tuple[int, ...]:
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in self._files)

    def _load(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            for file in self._files:
                file.read_bytes()  # OpenSSL's errors do not say which file it was
            # An encrypted key would make OpenSSL ask at the terminal.
            made.load_cert_chain(self._files[0], self._files[-1], password="")
        except (OSError, ssl.SSLError) as trouble:
            named = getattr(trouble, "filename", None) or " and ".join(map(str, self._files))
            raise SettingsRefused(f"certificate {named} cannot be used: {trouble.strerror or trouble}") from None
        return made
