"""What is trained, and the file that it becomes: one module per training method."""
