"""The parts of the samples dock: the grid, and the viewer that shows one or two pictures large."""
