"""A run as its events tell it: measured series, files, samples, log and pace."""
