"""From 224 by 224 tensors to feature vectors: encoders and the loop that runs them."""
