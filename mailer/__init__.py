"""Lists, letters, sending and hearing: a self-hosted newsletter service in one asyncio process."""

__version__ = "0.8.0"
