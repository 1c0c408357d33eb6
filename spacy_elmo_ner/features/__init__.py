"""What a tagger can know about a word beside ELMo, each a tok2vec of its own."""
