"""Results on disk: what they are called, hold and say of themselves, and which are kept."""
