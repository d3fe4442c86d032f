"""Which build of PyTorch suits a machine, and what pip says while it installs."""
