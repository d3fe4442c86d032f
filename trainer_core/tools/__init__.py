"""The tools: what is done with models and pictures beside training."""
