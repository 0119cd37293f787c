"""A worker: Faust hands over batches, partitions apply them, and one transactional writer each commits."""
