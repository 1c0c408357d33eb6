"""Raw text → ELMo weights."""
