"""What to do when a loss, a gradient or the trained weights are not finite."""
