"""The view of the tools: a form for each, its progress and its result."""
