"""How a batch becomes a loss: pure functions over tensors."""
