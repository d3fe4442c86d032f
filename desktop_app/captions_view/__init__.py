"""Changes of many captions at once: what is asked, and what it will do."""
