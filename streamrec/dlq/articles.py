"""since(settings, letters) -> what `articles` holds of the articles of these letters by now.

A tombstone has no version of its own. An article that was set aside, withdrawn and then redriven would be published
once more: the desk cannot tell it from one that is published anew. So it stays where a later record of it is there.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka.errors import KafkaError as ClientError

from ..errors import KafkaError
from ..settings import Settings
from ..worker.log import KafkaLog
from .letters import Letter


class Since(NamedTuple):
    """Of the topic `articles`."""

    first: int  # the oldest offset it still has
    newest: Mapping[bytes, int]  # key -> offset of its last record

    def refusal(self, letter: Letter) -> str:
        """Why this article cannot go back; empty if it can."""
        if letter.origin.offset < self.first:
            return "articles is no longer kept back to it, nor what may have followed; publish the article again"
        if self.newest.get(letter.key or b"", -1) > letter.origin.offset:
            return "a later record of the article is there, a version or its withdrawal; publish it again if it is due"
        return ""


NOTHING_SINCE = Since(0, {})


async def since(settings: Settings, letters: Iterable[Letter]) -> Since:
    """Read whole; nothing is read if none of them is an article. Letters without a key are not found out about."""
    keys = {letter.key for letter in letters if letter.place.topic == "articles"} - {None}
    if not keys:
        return NOTHING_SINCE
    topic, newest = settings.topic("articles"), {}
    try:
        async with KafkaLog(settings).reader() as reader:
            first = (await reader.beginnings([topic], 0))[topic]
            async for records in reader.read(topic, 0):
                newest.update({record.key: record.offset for record in records if record.key in keys})
    except (ClientError, OSError) as error:
        raise KafkaError(f"{topic} could not be read: {type(error).__name__} {error}") from error
    return Since(first, {key: offset for key, offset in newest.items() if key is not None})
