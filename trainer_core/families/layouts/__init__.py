"""How model files name and size their tensors, and how they are read and written."""
