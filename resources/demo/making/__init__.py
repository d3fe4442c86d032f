"""What makes the demo's base model: its pictures, its networks and their training."""
