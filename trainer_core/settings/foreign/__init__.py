"""Files of other programs, read as changes of the settings."""
