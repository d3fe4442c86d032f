"""Every choice that a setting offers, as data: the one place where its name is listed."""
