"""What the docks share: plain data and the Qt models that adapt it."""
