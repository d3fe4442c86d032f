"""The pictures of the dataset: what is there, what is chosen, what is shown of it."""
