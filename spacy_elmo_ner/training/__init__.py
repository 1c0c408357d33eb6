"""Training that goes on where it was killed."""
