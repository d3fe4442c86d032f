"""The views of a run: the sheet before its start, how it goes, and how it ended."""
