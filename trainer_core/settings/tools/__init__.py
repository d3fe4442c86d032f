"""The settings of the tools, one section each."""
