"""The window itself: its frame of docks, toolbar, status bar and actions."""
