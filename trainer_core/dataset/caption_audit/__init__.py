"""What is wrong with captions, and which files beside the pictures are none."""
