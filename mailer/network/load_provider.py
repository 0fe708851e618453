"""Loading a provider's secrets and keys from the files that settings.toml names."""

from __future__ import annotations

from mailer.errors import SecretUnreadable
from mailer.mail.provider_events.provider import Provider, read_public_keys, read_secrets
from mailer.settings.provider_tables import ProviderSettings


def load_provider(settings: ProviderSettings) -> Provider:
    """The provider of one [[provider]] table; raises SecretUnreadable with its name and the reason."""
    try:
        return Provider(
            name=settings.provider,
            secrets=read_secrets(settings.secret_file.read_text()) if settings.secret_file else (),
            public_keys=read_public_keys(settings.public_keys),
            topics=settings.topics,
        )
    except (OSError, UnicodeDecodeError) as trouble:
        reason = f"{settings.secret_file} cannot be read ({getattr(trouble, 'strerror', None) or 'not text'})"
    except SecretUnreadable as refusal:
        reason = f"{settings.secret_file or 'public_keys'}: {refusal}"
    raise SecretUnreadable(f"provider {settings.provider}: {reason}")
