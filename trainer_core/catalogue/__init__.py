"""Everything that can be chosen, declared once as data; a name is listed and tested here only."""
