"""Articles as published: what is taken, what is set aside, what a tombstone means."""

import msgspec
import pytest
from making import T0

from streamrec.content.desk import Desk
from streamrec.content.encoder import HashedEncoder
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.records import RawRecord, watermark_headers
from streamrec.settings import load

GOOD = b'{"article_id":"a1","title":"Quantum chip","published_at_ms":1764072000000}'
NUMBERS = ",".join(["0.1"] * 64)


def desk() -> Desk:
    """A fresh desk."""
    return Desk(load({}), HashedEncoder())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\x00\xff", "undecodable"),
        (b'{"article_id":"a1"}', "invalid"),
        (b'{"article_id":"a1","title":7,"published_at_ms":1764072000000}', "invalid"),
        (b'{"article_id":"a1","title":"t","published_at_ms":1}', "invalid"),
        (b'{"article_id":"a1","title":"t","published_at_ms":2082758400000}', "in_future"),
        (GOOD[:-1] + b',"embedding":[1,2,3]}', "bad_embedding"),
        (GOOD[:-1] + f',"embedding":[NaN,{NUMBERS[4:]}]}}'.encode(), "undecodable"),
        (GOOD[:-1] + b',"abstract":"%s"}' % (b"x" * 2_000_000), "too_large"),
    ],
)
def test_bad_articles_are_set_aside(value: bytes, reason: str) -> None:
    """Each with its reason; the article beside it is analysed."""
    done = desk().analyse([RawRecord(0, T0, b"a1", value), RawRecord(1, T0, b"a1", GOOD)])
    assert [(letter.reason, letter.offset) for letter in done.dead_letters] == [(reason, 0)]
    assert len(done.catalog) == 1


def test_own_embedding_is_taken() -> None:
    """64 finite numbers replace the encoder's vector, at unit length."""
    value = GOOD[:-1] + f',"embedding":[{NUMBERS}]}}'.encode()
    (entry,) = desk().analyse([RawRecord(0, T0, b"a1", value)]).catalog
    analysed = msgspec.json.decode(entry.value or b"", type=AnalysedArticle)
    vector = memoryview(analysed.vector).cast("f")
    assert sum(x * x for x in vector) == pytest.approx(1, abs=1e-5)
    assert len(set(vector)) == 1


def test_a_tombstone_withdraws() -> None:
    """A null value takes back the article its key names."""
    (entry,) = desk().analyse([RawRecord(0, T0, b"a1", None)]).catalog
    assert msgspec.json.decode(entry.value or b"", type=AnalysedArticle).status == "withdrawn"


def test_watermarks_pass_through() -> None:
    """In order, with a key, for `catalog` is compacted."""
    done = desk().analyse([RawRecord(0, T0, None, b"", watermark_headers(T0)), RawRecord(1, T0, b"a1", GOOD)])
    assert [bool(entry.headers) for entry in done.catalog] == [True, False]
    assert done.catalog[0].key
