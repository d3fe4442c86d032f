"""What is peculiar to picture files: their colours, and headers that Pillow cannot read."""
