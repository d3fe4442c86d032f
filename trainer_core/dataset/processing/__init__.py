"""What becomes of captions on their way to training: drawn choices, shuffled and dropped tags."""
