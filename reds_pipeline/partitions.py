"""The one dimension that REDS is partitioned by: the class.

What belongs here: partition definitions. What does not: adding or removing partitions, which the
class selection does. Classes number some hundreds at most; images and weeks are never partitions.
"""

from __future__ import annotations

import dagster as dg

classes = dg.DynamicPartitionsDefinition(name="class")
