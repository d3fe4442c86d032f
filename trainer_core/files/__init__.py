"""How files are written, found and shared out: run folders, resources, locks."""
