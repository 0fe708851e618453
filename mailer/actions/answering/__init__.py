"""What one mail asks for is done, and answered."""
