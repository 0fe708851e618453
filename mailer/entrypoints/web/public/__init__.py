"""Pages for readers: join, confirm, leave."""
