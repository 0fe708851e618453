"""Makes and reads letters; synchronous and pure."""
