"""The steps of ``bootstrap.py``: what is found on the machine, installed and started."""
