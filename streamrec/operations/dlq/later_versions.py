"""since(settings, letters) -> what `articles` holds of the articles of these letters by now.

A tombstone has no version of its own. An article that was set aside, withdrawn and then redriven would be published
once more: the pipeline cannot tell it from one that is published anew. So it stays where a later record of it is there:
one that names the article in its key, whatever frame a serializer put around it, or in its value.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from aiokafka.errors import KafkaError as ClientError

from ...contracts.framing import ids_in, said_in
from ...contracts.text import clean_id
from ...errors import KafkaError
from ...kafka.log import KafkaLog
from ...settings import Settings
from .letters import Letter


class Since(NamedTuple):
    """What stands in `articles` by now: where it begins, and the newest record of each article."""

    first: int  # the oldest offset it still has
    newest: Mapping[str, int]  # article -> offset of its last record

    def refusal(self, letter: Letter) -> str:
        """Why this article cannot go back; empty if it can."""
        if letter.origin.offset < self.first:
            return "articles is no longer kept back to it, nor what may have followed; publish the article again"
        if any(self.newest.get(name, -1) > letter.origin.offset for name in names(letter.key, letter.value)):
            return "a later record of the article is there, a version or its withdrawal; publish it again if it is due"
        return ""


NOTHING_SINCE = Since(0, {})


def names(key: bytes | None, value: bytes | None) -> set[str]:
    """Articles a record may be about; none where neither key nor value can be read."""
    found: set[str] = set()
    with suppress(ValueError):
        found.update(ids_in(key or b"", "article_id"))
    with suppress(ValueError):
        said = said_in(value or b"")
        named = said.get("article_id") if isinstance(said, dict) else None
        found.update({clean_id(str(named))} if isinstance(named, str | int) else ())
    return found - {""}


async def since(settings: Settings, letters: Iterable[Letter]) -> Since:
    """Read whole; nothing is read if none of them is an article that can be named."""
    wanted = {
        name for letter in letters if letter.place.topic == "articles" for name in names(letter.key, letter.value)
    }
    if not wanted:
        return NOTHING_SINCE
    topic, newest = settings.topic("articles"), dict[str, int]()
    try:
        async with KafkaLog(settings).reader() as reader:
            first = (await reader.beginnings([topic], 0))[topic]
            async for records in reader.read(topic, 0):
                for record in records:
                    newest.update(dict.fromkeys(names(record.key, record.value) & wanted, record.offset))
    except (ClientError, OSError) as error:
        raise KafkaError(f"{topic} could not be read: {type(error).__name__} {error}") from error
    return Since(first, newest)
