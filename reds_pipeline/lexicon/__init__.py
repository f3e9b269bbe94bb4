"""Words: hashtags to lemmas, the WordNet dictionary, and the choice of classes."""
