"""A campaign from draft to report."""
