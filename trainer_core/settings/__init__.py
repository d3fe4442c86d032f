"""Every setting, declared once: parsing, checks, run files and command-line flags."""
