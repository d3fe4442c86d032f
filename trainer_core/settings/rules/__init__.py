"""Checks across settings: a module for each section, and some for all of them."""
