"""Any spreadsheet: its columns, what they say of who agreed, texts and workbooks."""
