"""What is drawn for one showing of a picture: where it is cut, how its colours change."""
