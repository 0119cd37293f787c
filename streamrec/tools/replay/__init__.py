"""A log played through the whole system, in this process or through Kafka."""
