"""The docks of the window, one file each; `catalogue` lists them."""
