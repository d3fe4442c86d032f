"""Pictures that are held out of training, to see what it comes to with those it never saw."""
