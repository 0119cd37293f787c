"""One writer a partition: what it was offered, what it does next, and whether it may push yet."""
