"""What providers call us for: each one's proof and each one's JSON, read into what came back."""
