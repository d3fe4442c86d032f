"""How much of a text a model's text encoder reads, found without a library of models."""
