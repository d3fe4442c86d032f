"""The messages across the window: how a run ended, and what became of the open file."""
