"""The doors: they translate, and nothing else."""
