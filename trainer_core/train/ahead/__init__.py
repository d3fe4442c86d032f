"""What is done ahead of the first step: problems are told, captions and pictures encoded."""
