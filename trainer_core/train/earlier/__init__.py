"""What earlier processes of a run left: its own files, and the state to go on from."""
