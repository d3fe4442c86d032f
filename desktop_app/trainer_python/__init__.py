"""The Python that trains: found, looked at, and given what it lacks."""
