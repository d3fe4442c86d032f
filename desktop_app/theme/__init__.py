"""How the app looks: tokens, palette, style sheet and icons."""
