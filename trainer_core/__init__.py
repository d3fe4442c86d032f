"""Trains LoRA adapters in a process of its own; its ground floor is shared with the app."""
