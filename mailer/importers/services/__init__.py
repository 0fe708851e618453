"""Exports of newsletter services and newsletter software, one module or more for each."""
