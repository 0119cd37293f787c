"""Which partition a user lives in: the one every default Java and aiokafka producer chooses for the key.

librdkafka chooses by CRC-32 unless told otherwise, so records come to partitions they do not belong to.
"""

from collections.abc import Sequence

import numpy as np

from ..arrays import AnyArray, IndexArray, UIntArray

_SEED, _MULTIPLIER = np.uint32(0x9747B28C), np.uint32(0x5BD1E995)
_SHIFT, _LAST_SHIFT, _POSITIVE = np.uint32(24), (np.uint32(13), np.uint32(15)), np.uint32(0x7FFFFFFF)


def partition_of(user_id: str, partitions: int) -> int:
    """Partition of one user; `partitions_of` for many."""
    return int(partitions_of([user_id], partitions)[0])


def partitions_of(user_ids: Sequence[str], partitions: int) -> IndexArray:
    """murmur2 of each UTF-8 key, positive, modulo the number of partitions (Kafka's DefaultPartitioner): (N,)."""
    if not user_ids:
        return np.empty(0, np.intp)
    return ((_murmur2([user_id.encode() for user_id in user_ids]) & _POSITIVE) % np.uint32(partitions)).astype(np.intp)


def _murmur2(keys: list[bytes]) -> UIntArray:
    """Austin Appleby's MurmurHash2 as Kafka seeds it, of all keys at once, a word a step: (N,)."""
    lengths = np.array([len(key) for key in keys], np.uint32)
    width = int(lengths.max()) // 4 * 4 + 4  # numpy pads with zero bytes, so a word past the end is there and zero
    padded: AnyArray = np.array(keys, f"S{width}")
    words = padded.view("<u4").reshape(len(keys), width // 4)
    whole = lengths // 4
    found = _SEED ^ lengths
    for number in range(int(whole.max())):
        word = words[:, number] * _MULTIPLIER
        word ^= word >> _SHIFT
        found = np.where(number < whole, (found * _MULTIPLIER) ^ (word * _MULTIPLIER), found)
    rest = words[np.arange(len(keys)), whole]  # the last 0 to 3 bytes, little endian
    found = np.where(lengths % 4 > 0, (found ^ rest) * _MULTIPLIER, found)
    found ^= found >> _LAST_SHIFT[0]
    found *= _MULTIPLIER
    return found ^ (found >> _LAST_SHIFT[1])
