"""Editors of single settings, chosen by type, and the form they are put together in."""
