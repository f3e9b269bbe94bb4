"""From embeddings to a model that can be trusted: splits, heads, evaluation, and the bundle."""
