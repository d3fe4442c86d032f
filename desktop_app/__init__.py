"""The desktop application: docks over Qt models, and a trainer in a process of its own."""
