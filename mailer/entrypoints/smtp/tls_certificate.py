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
        self._loaded_mtimes = self._file_mtimes()
        self._context = self._load()

    async def context(self) -> ssl.SSLContext:
        """For one connection, from the files as they are now; while those cannot be read, as they were."""
        mtimes = await asyncio.to_thread(self._file_mtimes)
        if mtimes != self._loaded_mtimes:
            self._loaded_mtimes = mtimes
            try:
                self._context = await asyncio.to_thread(self._load)
            except SettingsRefused as error:
                _log.error("certificate", trouble=str(error), goes_on_with="the one before")
            else:
                _log.info("certificate read anew", file=str(self._files[0]))
        return self._context

    def _file_mtimes(self) -> tuple[int, ...]:
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in self._files)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            for file in self._files:
                file.read_bytes()  # OpenSSL's errors do not say which file it was
            # An encrypted key would make OpenSSL ask at the terminal.
            context.load_cert_chain(self._files[0], self._files[-1], password="")
        except (OSError, ssl.SSLError) as error:
            file_name = getattr(error, "filename", None) or " and ".join(map(str, self._files))
            raise SettingsRefused(f"certificate {file_name} cannot be used: {error.strerror or error}") from None
        return context
