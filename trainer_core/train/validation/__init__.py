"""The loss of pictures that are never trained on."""
