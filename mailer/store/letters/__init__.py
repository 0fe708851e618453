"""What letters are made of besides their texts (media, templates), and what the web says of them."""
