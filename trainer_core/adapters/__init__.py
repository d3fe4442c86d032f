"""The weights that are trained: one module per kind of adapter."""
