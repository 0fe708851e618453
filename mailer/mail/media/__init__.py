"""Pictures and attachments: taken from files of people, made safe, and put into letters."""
