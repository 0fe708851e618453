"""Reading a person's mail: its sender, commands, answers and language."""
