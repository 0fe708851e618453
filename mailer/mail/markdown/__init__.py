"""The Markdown of letters: parsed with its links checked, written as HTML and as plain text."""
