"""Records the source set aside because processing failed on them: it would fail here as well."""

from collections import defaultdict
from collections.abc import Collection

from ...worker.dead_letter_ids import Letters
from ..dlq.letters import Letter
from ..dlq.reading import read
from .plan import Side

Poison = defaultdict[tuple[str, int], Letters]  # by topic and partition


async def poison_of(side: Side, topics: Collection[str]) -> Poison:
    """The records of these topics (names without prefix) that were set aside as poison."""
    found = Poison(Letters)

    def noted(letter: Letter) -> bool:
        if letter.reason == "processing_error":
            topic, partition, offset = letter.origin
            found[topic, partition].add(offset, letter)
        return False  # nothing else of it is needed

    await read(side.settings, topics, noted)
    return found
