"""The trainer's process: how it is started, heard, stopped, and how it ended."""
