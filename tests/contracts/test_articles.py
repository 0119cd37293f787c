"""Articles as published: what is taken, what is set aside, what a tombstone means."""

from typing import cast

import msgspec
import pytest
from making import T0, written

from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import Analysed, ContentPipeline
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.records import RawRecord, watermark_headers
from streamrec.settings import load

GOOD = b'{"article_id":"a1","title":"Quantum chip","published_at_ms":1764072000000}'
NUMBERS = ",".join(["0.1"] * 64)


def pipeline() -> ContentPipeline:
    """A fresh pipeline."""
    return ContentPipeline(load({}), HashedEncoder())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\x00\xff", "undecodable"),
        (GOOD.replace(b"chip", b"K\xf8benhavn"), "undecodable"),
        (GOOD[:-1] + b',"x":' + b"[" * 1200 + b"]" * 1199 + b"}", "undecodable"),
        (GOOD[:-1] + b',"embargo_until_ms":' + b"[" * 1200 + b"]" * 1200 + b"}", "invalid"),
        (GOOD.decode().replace("chip", "\ud800").encode("utf-16-le", "surrogatepass"), "undecodable"),
        (b"\xff\xfe" + GOOD.decode().replace("chip", "\ud800").encode("utf-16-le", "surrogatepass"), "undecodable"),
        (b'{"article_id":"a1"}', "invalid"),
        (b'{"article_id":"a1","title":7,"published_at_ms":1764072000000}', "invalid"),
        (b'{"article_id":"a1","title":"t","published_at_ms":1}', "invalid"),
        (b'{"article_id":"a1","title":"t","published_at_ms":2082758400000}', "in_future"),
        (b'{"article_id":"a1","title":" \\u200b\\ufeff","published_at_ms":1764072000000}', "invalid"),
        (GOOD[:-1] + b',"embargo_until_ms":"soon"}', "invalid"),
        (GOOD[:-1] + b',"embargo_until_ms":5}', "invalid"),
        (GOOD[:-1] + b',"status":"teleported"}', "invalid"),
        (GOOD[:-1] + b',"abstract":"%s"}' % (b"x" * 2_000_000), "too_large"),
    ],
)
def test_bad_articles_are_set_aside(value: bytes, reason: str) -> None:
    """Each with its reason; the article beside it is analysed."""
    done = pipeline().analyse([RawRecord(0, T0, b"a1", value), RawRecord(1, T0, b"a1", GOOD)])
    assert [(letter.reason, letter.offset) for letter in done.dead_letters] == [(reason, 0)]
    assert len(analysed(done)) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("frame", ["%s", "[%s]", '{"specversion":"1.0","source":"cms","data":%s}', "registry"])
def test_an_article_may_come_in_a_frame(encoding: str, frame: str) -> None:
    """Whatever a serializer put around it, where the form is certain."""
    value = frame.replace("%s", GOOD.decode()).encode(encoding)
    value = b"\0\xff\xfe\0\7" + GOOD if frame == "registry" else value
    (article,) = analysed(pipeline().analyse([RawRecord(0, T0, b"a1", value)]))
    assert article.title == "Quantum chip"


def test_what_is_nested_too_deep_costs_its_field() -> None:
    """Nobody asked for it, and the rest of the article counts."""
    deep = GOOD[:-1] + b',"x":[1,' + b'{"]":[' * 1200 + b"]}" * 1200 + b'],"source":"desk"}'
    (article,) = analysed(pipeline().analyse([RawRecord(0, T0, b"a1", deep)]))
    assert (article.title, article.source) == ("Quantum chip", "desk")


def test_own_embedding_is_taken() -> None:
    """64 finite numbers replace the encoder's vector, at unit length."""
    value = GOOD[:-1] + f',"embedding":[{NUMBERS}]}}'.encode()
    (article,) = analysed(pipeline().analyse([RawRecord(0, T0, b"a1", value)]))
    vector = memoryview(article.vector).cast("f")
    assert sum(x * x for x in vector) == pytest.approx(1, abs=1e-5)
    assert len(set(vector)) == 1


def test_a_tombstone_withdraws() -> None:
    """A null value takes back the article its key names."""
    (article,) = analysed(pipeline().analyse([RawRecord(0, T0, b"a1", None)]))
    assert article.status == "withdrawn"


def test_watermarks_pass_through() -> None:
    """In order, with a key, for `catalog` is compacted."""
    done = pipeline().analyse([RawRecord(0, T0, None, b"", watermark_headers(T0)), RawRecord(1, T0, b"a1", GOOD)])
    assert dict(done.catalog[0].headers) == {"streamrec-watermark": str(T0).encode()}
    assert done.catalog[0].key
    assert done.catalog[-1].key == b"a1"


NOT_A_TIME = [None, b"", b"noon", b"-5", "\u0665".encode(), b"9" * 14, b"9" * 5_000]


@pytest.mark.parametrize("mark", NOT_A_TIME)
@pytest.mark.parametrize("name", ["streamrec-watermark", "streamrec-rerouted-from", "traceparent"])
def test_no_header_stops_an_article(name: str, mark: bytes | None) -> None:
    """Kafka allows a header to be null, and of any length; the article, or the tombstone, is what it is without."""
    headers = [(name, cast(bytes, mark))]
    records = [RawRecord(0, T0, b"a1", GOOD, headers), RawRecord(1, T0, b"a1", None, headers)]
    assert pipeline().analyse(records) == pipeline().analyse([record._replace(headers=()) for record in records])


def test_an_article_with_a_watermark_is_an_article() -> None:
    """A watermark is an empty record: nothing that has a value gets lost for its headers."""
    (article,) = analysed(pipeline().analyse([RawRecord(0, T0, b"a1", GOOD, watermark_headers(T0))]))
    assert article.article_id == "a1"


@pytest.mark.parametrize("mark", NOT_A_TIME)
def test_an_empty_record_with_no_time_is_set_aside(mark: bytes | None) -> None:
    """It is no watermark, and nothing else either."""
    record = RawRecord(0, T0, None, b"", [("streamrec-watermark", cast(bytes, mark))])
    (letter,) = pipeline().analyse([record]).dead_letters
    assert letter.reason == "empty_value"


def version(number: int, title: str = "Quake of 6.1 hits Chile coast") -> RawRecord:
    """One version of article a1."""
    value = {"article_id": "a1", "title": title, "published_at_ms": T0, "version": number}
    return RawRecord(number, T0, b"a1", msgspec.json.encode(value))


def analysed(done: Analysed) -> list[AnalysedArticle]:
    """What a batch wrote to the catalog."""
    return [msgspec.json.decode(entry.value or b"", type=AnalysedArticle) for entry in written(done)]


def test_an_older_version_is_not_written() -> None:
    """The catalog is compacted: an old version written last would be all that is left of the article."""
    done = pipeline().analyse([version(3), version(2), version(3), version(4)])
    assert [article.version for article in analysed(done)] == [3, 3, 4]
    assert done.outcomes == ["published", "stale", "published", "published"]


def test_a_tombstone_withdraws_the_newest_version() -> None:
    """It has no version of its own."""
    done = analysed(pipeline().analyse([version(3), RawRecord(4, T0, b"a1", None)]))
    assert [(article.version, article.status) for article in done] == [(3, "published"), (3, "withdrawn")]


def test_a_new_pipeline_recalls_what_was_written() -> None:
    """After a restart versions and stories are those of before."""
    before, after = pipeline(), pipeline()
    after.recall([RawRecord(0, T0, *record) for record in before.analyse([version(3)]).catalog])
    copy = {"article_id": "a2", "title": "Chile coast hit by quake of 6.1 hits", "published_at_ms": T0}
    later = [version(2), RawRecord(5, T0, b"a2", msgspec.json.encode(copy))]
    assert after.analyse(later) == before.analyse(later)
    assert [article.story_id for article in analysed(after.analyse(later))] == ["a1"]
