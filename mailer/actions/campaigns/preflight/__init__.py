"""The check of a campaign before its launch: texts, letters, readers, and what receivers look up."""
