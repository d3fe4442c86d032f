"""What the Help menu opens: the welcome, the list of shortcuts, and what the program is."""
