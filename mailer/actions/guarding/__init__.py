"""What keeps us from being used against people: strangers cause few letters, and are told nothing."""
