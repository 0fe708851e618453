"""What a person wrote to us: text, command, answer, language."""
