"""Which partition a user lives in: the one every default Java and aiokafka producer chooses for the key."""

from aiokafka.partitioner import murmur2


def partition_of(user_id: str, partitions: int) -> int:
    """murmur2 of the UTF-8 key, positive, modulo the number of partitions (Kafka's DefaultPartitioner)."""
    return int((murmur2(user_id.encode()) & 0x7FFFFFFF) % partitions)
