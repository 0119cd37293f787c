"""How much may be set aside as poison within an hour: with more of it the release is bad, and not its input.

The content agent, and a move to another encoder, set aside articles on which analysis fails (`analysed`); a partition's
writer sets aside records on which `apply` fails (poison_search.py).
"""

from collections.abc import Iterable, Sequence

from ...clock import now_ms
from ...content.pipeline import Analysed, ContentPipeline
from ...contracts.records import Record, first_headers
from ...errors import StateError
from ...kafka.log import Log
from ...settings import Settings

HOUR_MS = 3_600_000


async def analysed(pipeline: ContentPipeline, records: Sequence[Record], log: Log, settings: Settings) -> Analysed:
    """What the pipeline makes of records of `articles`, in order; in a replay nothing is set aside, as nowhere.

    StateError if the pipeline fails on more records than are allowed.
    """
    found = pipeline.analyse(records, set_aside=settings.policy_time == "wall")
    poison = sum(letter.reason == "processing_error" for letter in found.dead_letters)
    too_many = settings.max_poison_per_hour + 1 - poison
    if poison and await recent_poison(log, [settings.topic("articles")], 0, too_many) >= too_many:
        raise bad_release("analysis fails on more articles")
    return found


def bad_release(too_many: str) -> StateError:
    """What a worker ends with where it is not the input that is at fault."""
    return StateError(
        f"{too_many} than STREAMREC_MAX_POISON_PER_HOUR allows; nothing more is set aside: correct or roll back the"
        " release, then `streamrec dlq redrive --reason processing_error`"
    )


async def recent_poison(log: Log, topics: Iterable[str], partition: int, enough: int) -> int:
    """How many records of this partition were set aside as poison within the last hour, by earlier owners included.

    Counted as they are read, up to `enough` or a few more: an hour of dead letters need not fit into memory.
    """
    since_ms, found = now_ms() - HOUR_MS, 0
    async with log.reader() as reader:
        for topic in topics:
            async for letters in reader.read(f"{topic}.dlq", partition, None, since_ms):
                reasons = (first_headers(letter).get("streamrec-reason") for letter in letters)
                found += sum(reason == b"processing_error" for reason in reasons)
                if found >= enough:
                    return found
    return found
