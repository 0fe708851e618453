"""What the dynamic content of letters may hold besides plain expressions: segments of a list, numbers and dates."""
