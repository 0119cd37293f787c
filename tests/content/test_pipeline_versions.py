"""What the pipeline writes of any sequence of versions: a plain second reading, with restarts and compaction between.

A version counts if it is not below the newest that counted before it; one without a number is version 0, and so the
last of several to arrive counts. A withdrawal takes back the newest; a tombstone has its number.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from making import T0, written

from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import Analysed, CatalogRecord, ContentPipeline
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.records import RawRecord, watermark_headers
from streamrec.settings import load


class Said(NamedTuple):
    """One record of `articles`."""

    article_id: str
    number: int | None  # None: a version without one
    status: str  # "" is a tombstone
    category: str = ""


said = st.builds(
    Said,
    article_id=st.sampled_from(["a1", "a2", "a3"]),
    number=st.none() | st.integers(0, 3),
    status=st.sampled_from(["published", "updated", "withdrawn", ""]),
    category=st.sampled_from(["", "politik", "sport", "kultur"]),
)


def raw(offset: int, one: Said) -> RawRecord:
    """As it stands in the topic; the title says which record it was."""
    if not one.status:
        return RawRecord(offset, T0 + offset, one.article_id.encode(), None)
    value = {
        "article_id": one.article_id,
        "title": f"qx{offset}",
        "published_at_ms": T0,
        "status": one.status,
        "category": one.category,
    } | ({} if one.number is None else {"version": one.number})
    return RawRecord(offset, T0 + offset, one.article_id.encode(), msgspec.json.encode(value))


def expected(records: Sequence[Said]) -> tuple[list[tuple[str, int, str, int]], list[str]]:
    """Id, version, status and offset of what is written, and the outcome of each record."""
    newest: dict[str, int] = {}
    made, outcomes = list[tuple[str, int, str, int]](), list[str]()
    for offset, one in enumerate(records):
        known = newest.get(one.article_id, 0)
        number = known if not one.status else one.number or 0
        if one.status == "withdrawn":  # takes back what is newest, whichever version it names
            number = max(number, known)
        if number < known:
            outcomes.append("stale")
            continue
        newest[one.article_id] = number
        made.append((one.article_id, number, one.status or "withdrawn", offset))
        outcomes.append(one.status or "withdrawn")
    return made, outcomes


def found(catalog: Sequence[CatalogRecord]) -> list[tuple[str, int, str, int]]:
    """The same, of what a pipeline wrote; the append time of a record stands in it."""
    articles = [
        msgspec.json.decode(record.value or b"", type=AnalysedArticle)
        for record in written(Analysed([*catalog], [], [], []))
    ]
    return [(one.article_id, one.version, one.status, one.known_at_ms - T0) for one in articles]


def pipeline() -> ContentPipeline:
    """A new one."""
    return ContentPipeline(load({}), HashedEncoder())


@given(st.lists(said, max_size=30), st.data())
def test_what_counts_is_written_once_and_in_order(records: list[Said], data: st.DataObject) -> None:
    """In any batches; whenever a new owner reads back what is left, it goes on as the one before would have."""
    agent, at = pipeline(), 0
    done = Analysed([], [], [], [])
    while at < len(records):
        size = data.draw(st.integers(1, len(records) - at))
        batch = agent.analyse([raw(at + n, one) for n, one in enumerate(records[at : at + size])])
        done = Analysed(
            done.catalog + batch.catalog,
            done.dead_letters + batch.dead_letters,
            done.outcomes + batch.outcomes,
            done.notes + batch.notes,
        )
        at += size
        if data.draw(st.booleans()):
            agent = pipeline()
            agent.recall(_compacted(done.catalog))
    articles, outcomes = expected(records)
    assert (found(done.catalog), done.outcomes, done.dead_letters) == (articles, outcomes, [])


def _compacted(catalog: Sequence[CatalogRecord]) -> list[RawRecord]:
    """The last record of each key, where it stood."""
    last = {record.key: offset for offset, record in enumerate(catalog)}
    return [RawRecord(offset, T0, *catalog[offset]) for offset in sorted(last.values())]


@given(st.lists(said, max_size=30))
def test_what_is_left_of_an_article_is_its_newest(records: list[Said]) -> None:
    """After compaction: nothing that counted comes back, however late an old version arrives."""
    catalog = _compacted(pipeline().analyse([raw(offset, one) for offset, one in enumerate(records)]).catalog)
    articles = {one[0]: one for one in expected(records)[0]}
    left = [CatalogRecord(record.key, record.value) for record in catalog]
    assert {one[0]: one for one in found(left)} == articles


@given(st.lists(said, max_size=20))
def test_the_same_records_again_change_nothing(records: list[Said]) -> None:
    """After a crash a batch may be analysed again by whoever recalls the first time: the newest stays the newest."""
    batch = [raw(offset, one) for offset, one in enumerate(records)]
    first, second = pipeline(), pipeline()
    before = first.analyse(batch).catalog
    second.recall(_compacted(before))
    after = [*before, *second.analyse(batch).catalog]
    newest, again = ({one[0]: one[1] for one in found(catalog)} for catalog in (before, after))
    assert again == newest
    assert second.categories.slots.names == first.categories.slots.names


def test_an_update_without_a_number_is_not_stale() -> None:
    """Without versions the last one to arrive counts, at the pipeline and where it is read back."""
    records = [raw(n, Said("a1", None, "updated" if n else "published")) for n in range(3)]
    first, second = pipeline(), pipeline()
    done = first.analyse(records[:2])
    second.recall(_compacted(done.catalog))
    assert [*done.outcomes, *second.analyse(records[2:]).outcomes] == ["published", "updated", "updated"]


def test_the_versions_of_the_latest_articles_are_remembered() -> None:
    """As many as the catalog holds: an article that comes again stays, the one silent longest is forgotten."""
    agent = ContentPipeline(load({}, max_articles=100), HashedEncoder())
    agent.analyse([raw(n, Said(f"a{n}", 5, "published")) for n in range(100)])
    agent.analyse([raw(100, Said("a0", 5, "updated")), raw(101, Said("b", 5, "published"))])
    late = [raw(102 + n, Said(name, 4, "updated")) for n, name in enumerate(["a0", "a2", "b", "a1"])]
    assert agent.analyse(late).outcomes == ["stale", "stale", "stale", "updated"]


def test_marks_are_not_articles() -> None:
    """Watermarks and owners' marks that are read back teach nothing."""
    agent = pipeline()
    marks = [
        RawRecord(n, T0, key, b"", watermark_headers(T0)) for n, key in enumerate([b"\xffwatermark", b"\xffowner"])
    ]
    agent.recall(marks)
    assert not agent.categories.slots
    assert agent.analyse([raw(0, Said("a1", 0, "published"))]) == pipeline().analyse(
        [raw(0, Said("a1", 0, "published"))]
    )
