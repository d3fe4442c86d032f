"""What the machine offers: device, precision, memory, streams, locks and repeatable draws."""
