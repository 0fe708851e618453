"""How fast the real service is, and how much memory it takes, as ratios to yardsticks of the same run."""
