"""What the settings say of the pictures, beside where they are."""
