"""The spaCy component, which alone knows both vectors and tags."""
