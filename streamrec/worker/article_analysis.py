"""What the desk makes of articles, where one on which it fails is set aside: in the content agent, and in a move."""

from collections.abc import Sequence

from ..content.desk import Analysed, Desk
from ..contracts.records import Record
from ..kafka.log import Log
from ..settings import Settings
from .poison import bad_release, recent_poison


async def analysed(desk: Desk, records: Sequence[Record], log: Log, settings: Settings) -> Analysed:
    """Records of `articles` in order; in a replay nothing is set aside, as nowhere.

    StateError if the desk fails on too many records: the release is bad then.
    """
    found = desk.analyse(records, set_aside=settings.policy_time == "wall")
    poison = sum(letter.reason == "processing_error" for letter in found.dead_letters)
    too_many = settings.max_poison_per_hour + 1 - poison
    if poison and await recent_poison(log, [settings.topic("articles")], 0, too_many) >= too_many:
        raise bad_release("analysis fails on more articles")
    return found
