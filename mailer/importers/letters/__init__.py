"""Letters that other software has archived: read from mailbox files, folders of mails and pages of campaigns."""
