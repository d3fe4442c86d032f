"""How much room a run's files need, and how much there is; no torch, numpy or Qt."""
