"""From squares of pixels to feature vectors: encoders, engines and the loop that runs them."""

import os

# Only this package loads PyTorch, whose OpenMP library reads this when it is loaded. Threads that
# wait for one another would otherwise spin: with other programs on the same cores that costs five
# times the processor time for the same features. What the operator has set stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
