"""What docks there are, and the views that fit into one file; others have a room of their own."""
