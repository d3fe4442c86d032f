"""Widgets that show pictures."""
