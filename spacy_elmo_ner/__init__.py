"""ELMo named entity recognition for spaCy."""
