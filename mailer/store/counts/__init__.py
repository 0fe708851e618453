"""Numbers that pages show without counting: of campaigns, of audiences, of days."""
