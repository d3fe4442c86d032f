"""How the docks of a window are moved: titles, menus, splits, floating, folding, focus."""
