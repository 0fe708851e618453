"""The certificate for STARTTLS; it is loaded again when its file changes."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import structlog

from mailer.errors import SettingsRefused

_log = structlog.get_logger()


class Certificate:
    """A certificate chain and its private key, from PEM files that another program renews."""

    def __init__(self, chain: Path, key: Path | None) -> None:
        """Load the files. Raises SettingsRefused, which names the file, if one cannot be used."""
        self._files = (chain,) if key is None else (chain, key)
        self._loaded_mtimes = self._file_mtimes()
        self._context = self._load()

    async def context(self) -> ssl.SSLContext:
        """The TLS context for one connection, from the current files, or from the last ones that could be used."""
        mtimes = await asyncio.to_thread(self._file_mtimes)
        if mtimes != self._loaded_mtimes:
            self._loaded_mtimes = mtimes
            try:
                self._context = await asyncio.to_thread(self._load)
            except SettingsRefused as error:
                _log.error("failed to load certificate, still using the previous one", error=str(error))
            else:
                _log.info("changed certificate", file=str(self._files[0]))
        return self._context

    def _file_mtimes(self) -> tuple[int, ...]:
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in self._files)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            for file in self._files:
                file.read_bytes()  # because OpenSSL's errors do not name the file
            # An encrypted key would make OpenSSL ask at the terminal.
            context.load_cert_chain(self._files[0], self._files[-1], password="")
        except (OSError, ssl.SSLError) as error:
            file_name = getattr(error, "filename", None) or " and ".join(map(str, self._files))
            raise SettingsRefused(
                f"certificate {file_name} cannot be used: {error.strerror or error}; "
                f"see tls_certificate and tls_key of [intake]"
            ) from None
        return context
