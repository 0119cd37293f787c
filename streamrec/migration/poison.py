"""Records the source set aside because processing failed on them: it would fail here as well."""

from collections import defaultdict
from collections.abc import Collection

from ..dlq.letters import Letter
from ..dlq.reading import read
from ..worker.named import fingerprint
from .plan import Side

Poison = dict[tuple[str, int], dict[int, set[bytes]]]  # topic and partition -> letters, as worker/named.py reads them


async def poison_of(side: Side, topics: Collection[str]) -> Poison:
    """Those of these topics, which are named without prefix."""
    found: Poison = defaultdict(lambda: defaultdict(set))

    def noted(letter: Letter) -> bool:
        if letter.reason == "processing_error":
            topic, partition, offset = letter.origin
            found[topic, partition][offset].add(fingerprint(letter.key, letter.value))
        return False  # nothing else of it is needed

    await read(side.settings, topics, noted)
    return found
