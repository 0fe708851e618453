"""What supporters do: join, confirm, leave, come back."""
