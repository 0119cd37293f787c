"""tools/chaos/articles.py: the judge of `catalog` finds each kind of mistake, and nothing where there is none."""

import msgspec
import pytest
from making import T0, written

from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import ContentPipeline
from streamrec.contracts.records import RawRecord, watermark_headers
from streamrec.settings import load
from streamrec.tools.chaos.articles import article_differences, letter_differences


def version(offset: int, article_id: str, number: int, title: str = "Weather in Odense") -> RawRecord:
    """A record of `articles`."""
    value = {"article_id": article_id, "title": title, "published_at_ms": T0, "version": number}
    return RawRecord(offset, T0, article_id.encode(), msgspec.json.encode(value))


ARTICLES = [
    version(0, "a1", 1),
    version(1, "a2", 2),
    RawRecord(2, T0, b"a3", b"{"),
    version(3, "a2", 1),  # comes late
    version(4, "a1", 1, "Weather in Aarhus"),
    version(5, "a4", 7),
    RawRecord(6, T0, b"a4", None),
    version(7, "a5", 0),
]
DONE = ContentPipeline(load({}), HashedEncoder()).analyse(ARTICLES)
CATALOG = [RawRecord(n, T0, *record) for n, record in enumerate(written(DONE))]
LETTERS = [RawRecord(0, T0, letter.key, letter.value, letter.headers()) for letter in DONE.dead_letters]
STALE = RawRecord(9, T0, *written(ContentPipeline(load({}), HashedEncoder()).analyse([ARTICLES[3]]))[0])
OTHER = RawRecord(9, T0, *written(ContentPipeline(load({}), HashedEncoder()).analyse([version(0, "a9", 1)]))[0])
BARRIER = RawRecord(9, T0, b"\xffowner", b"", watermark_headers(0))
EVERYTHING = [RawRecord(n, T0, *record) for n, record in enumerate(DONE.catalog)]


def test_what_the_pipeline_writes_is_right() -> None:
    """Also with a barrier, and when a crash makes it write again from any record on."""
    assert article_differences(ARTICLES, [BARRIER, *EVERYTHING]) == letter_differences(ARTICLES, LETTERS) == []
    assert letter_differences(ARTICLES, LETTERS * 2) == []
    assert article_differences(ARTICLES, [*CATALOG[:2], BARRIER, *CATALOG]) == []


@pytest.mark.parametrize("dropped", range(len(CATALOG)))
def test_an_article_that_is_dropped_is_found(dropped: int) -> None:
    """Whichever version it is, the withdrawal included."""
    (found,) = article_differences(ARTICLES, CATALOG[:dropped] + CATALOG[dropped + 1 :])
    assert (CATALOG[dropped].key or b"").decode() in found


@pytest.mark.parametrize(
    "catalog",
    [[*CATALOG, STALE], [STALE, *CATALOG], [*CATALOG, OTHER], [CATALOG[2], CATALOG[1], CATALOG[0], *CATALOG[3:]]],
    ids=["an old version last", "an old version first", "an article nobody published", "another order"],
)
def test_what_should_not_be_there_is_found(catalog: list[RawRecord]) -> None:
    """One article each."""
    assert len(article_differences(ARTICLES, catalog)) == 1


def test_a_lost_dead_letter_is_found() -> None:
    """And one too many."""
    assert letter_differences(ARTICLES, [])
    assert letter_differences(ARTICLES[:2], LETTERS)
