"""The dialog of the preferences and its pages."""
