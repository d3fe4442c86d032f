"""A training run: its wiring, its loop and its control."""
