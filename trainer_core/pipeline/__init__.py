"""From an indexed picture to a batch on the device."""
