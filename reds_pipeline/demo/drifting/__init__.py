"""An instance that changes from week to week: what people post, how it looks, what they regret."""
