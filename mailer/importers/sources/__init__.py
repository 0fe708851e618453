"""Where the files of an export lie: alone, in a folder, in a zip, in a pipe; opened within bounds."""
