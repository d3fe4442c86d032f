"""What a model file is, read from its table of contents alone: no torch, no tensor data."""
