"""What a tagger can know about a word besides ELMo, each as a separate tok2vec."""
