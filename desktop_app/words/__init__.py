"""What the app says of settings, runs, plans and pictures, in words for people."""
