"""A read-only copy of partitions, and the questions it answers: why, why not, and who would get it."""
