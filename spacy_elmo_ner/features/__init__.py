"""What a tagger can know about a word besides ELMo, each as a tok2vec of its own."""
