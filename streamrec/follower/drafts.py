"""Articles that are not out: analysed as the content agent would, and remembered nowhere.

What the agent remembers of earlier articles (stories, versions, slots of categories) is read from `catalog`, as after
its restart.
"""

from collections.abc import Mapping, Sequence

import orjson

from ..content.encoder import Encoder
from ..content.pipeline import ContentPipeline
from ..contracts.article import AnalysedArticle
from ..contracts.records import DeadLetter, RawRecord, Record
from ..errors import DataError
from ..kafka.log import Reader, read_all
from ..settings import Settings

DRAFT_ID = "draft"


class Drafts:
    """Makes of a draft what its readers would meet."""

    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        self._pipeline, self._catalog = ContentPipeline(settings, encoder), settings.topic("catalog")

    async def recall(self, reader: Reader, number: int) -> None:
        """Remember what one partition of `catalog` holds; all hold the same."""
        self._pipeline.recall(await read_all(reader, self._catalog, number))

    def take(self, records: Sequence[Record]) -> None:
        """Remember what was written since."""
        self._pipeline.recall(records)

    def analyse(self, said: Mapping[str, object], at_ms: int) -> AnalysedArticle:
        """An article of the contract if it were published now; id and time may be left out. DataError if it is none."""
        fields = {"article_id": DRAFT_ID, "published_at_ms": at_ms, **said}
        try:
            raw = orjson.dumps(fields)
        except (TypeError, ValueError) as error:  # orjson's own errors are of these
            raise DataError(f"the draft is no JSON object of an article: {error}") from None
        found = self._pipeline.draft(RawRecord(0, at_ms, str(fields["article_id"]).encode(), raw))
        if isinstance(found, DeadLetter):
            raise DataError(f"the draft would be set aside as {found.reason}: {found.detail}")
        if found is None:
            raise DataError("the draft is of a lower version than what readers know; leave out `version`, or raise it")
        return found
