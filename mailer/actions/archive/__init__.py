"""The archive: letters as everybody reads them on the web, or as subscribers do."""
