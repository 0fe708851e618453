"""Tables of people, ours and other products': read as rows to import."""
