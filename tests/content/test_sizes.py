"""What comes of an article is small, whatever it is like: catalog records and pushes always fit."""

import msgspec
import pytest
from making import DAY, T0, written

from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import ContentPipeline
from streamrec.contracts.article import AnalysedArticle, ArticleEvent
from streamrec.contracts.limits import BATCH_BYTES, LATEST_MS, MAX_RECORD_BYTES
from streamrec.contracts.push import Envelope, ModelStamp, encoded
from streamrec.contracts.record_size import record_bytes
from streamrec.contracts.records import RawRecord
from streamrec.settings import load


@pytest.mark.parametrize("char", ['"', "é", "国", "𝄞"])
def test_the_longest_article_the_contract_allows(char: str) -> None:
    """Of characters that are longest as JSON or as UTF-8; read again, its catalog record is not `too_large`."""
    text = ArticleEvent(
        article_id=char * 128,
        title="".join(f"{char * 60}{n:02} " for n in range(7)),
        published_at_ms=LATEST_MS - 400 * DAY,
        abstract="".join(f"{char * 495}{n:03}, " for n in range(10)),
        category=char * 64,
        source=char * 64,
        story_id=char * 128,
        deep_link=char * 2_000,
        embedding=[0.1234567890123456] * 64,
    )
    record = RawRecord(0, text.published_at_ms, b"a", msgspec.json.encode(text))
    (entry,) = written(ContentPipeline(load({}), HashedEncoder()).analyse([record]))
    assert len(entry.value or b"") < MAX_RECORD_BYTES
    assert record_bytes(entry.key, entry.value, entry.headers) < BATCH_BYTES
    analysed = msgspec.json.decode(entry.value or b"", type=AnalysedArticle)
    envelope = Envelope(analysed, ModelStamp("ranker", "1", "int8"), "due", T0, DAY)
    user = char * 128
    reason: dict[str, object] = {"code": "recent_reads", "args": {"category": analysed.category, "count": 16}}
    (value,) = encoded([envelope], [user], [0.5], [msgspec.json.encode(reason)], [T0])
    assert record_bytes(user.encode(), value) < MAX_RECORD_BYTES
