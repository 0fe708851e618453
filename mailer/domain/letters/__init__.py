"""What letters are made of and what is said of them: media, templates, checks, the archive."""
