"""The list of subsets in a form, a line each."""
