"""Readers of the files and tables of Sympa."""
