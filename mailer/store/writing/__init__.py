"""Texts while they are written: drafts, versions, approvals, test letters."""
