"""What the trainer tells: events to the app, the event file and TensorBoard."""
