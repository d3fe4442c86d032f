"""The version of app and trainer, in one place."""

__version__ = "0.1.0"
