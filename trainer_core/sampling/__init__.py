"""Sample pictures drawn while training."""
