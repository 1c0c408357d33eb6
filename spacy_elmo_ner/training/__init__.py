"""Training that can be killed and continued."""
