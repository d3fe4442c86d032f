"""What a run does where a disk is full: it waits for room, and asks."""
