"""Charts: growing series that thin themselves, and the plots that draw them."""
