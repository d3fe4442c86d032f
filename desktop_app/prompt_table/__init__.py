"""The prompts of sample pictures as a table that is edited in place."""
