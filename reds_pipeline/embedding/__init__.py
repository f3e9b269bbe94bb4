"""From squares of pixels to feature vectors: encoders, engines and the loop that runs them."""
