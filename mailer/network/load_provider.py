"""The keys and secrets by which a provider's calls are known, read from the files that settings.toml names."""

from __future__ import annotations

from mailer.errors import SecretUnreadable
from mailer.mail.provider_events.provider import Hook, read_public_keys, read_secrets
from mailer.settings.provider_tables import WebhookSettings


def read_hook(given: WebhookSettings) -> Hook:
    """The hook of one [[webhook]] table; SecretUnreadable names the provider and says why."""
    try:
        return Hook(
            provider=given.provider,
            secrets=read_secrets(given.secret_file.read_text()) if given.secret_file else (),
            public_keys=read_public_keys(given.public_keys),
            topics=given.topics,
        )
    except (OSError, UnicodeDecodeError) as trouble:
        reason = f"{given.secret_file} cannot be read ({getattr(trouble, 'strerror', None) or 'not text'})"
    except SecretUnreadable as refusal:
        reason = f"{given.secret_file or 'public_keys'}: {refusal}"
    raise SecretUnreadable(f"webhook {given.provider}: {reason}")
