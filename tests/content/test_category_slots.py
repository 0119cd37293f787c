"""content/category_slots.py and what the pipeline does with it: a slot for each section, remembered for ever."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, T0, article, written

from streamrec.content.category_slots import SLOTS_KEY, CategorySlots, slots_in
from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import Analysed, CatalogRecord, ContentPipeline
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.decode import Origin, Watermark, decode_catalog
from streamrec.contracts.ids import CATEGORIES, SHARED_CATEGORY
from streamrec.contracts.records import RawRecord
from streamrec.settings import load

GERMAN = (
    "politik", "wirtschaft", "kultur", "sport", "meinung", "inland", "ausland", "panorama", "wissen", "reise",
    "digital", "gesundheit", "auto", "karriere", "lokales", "feuilleton", "medien", "wetter", "geld", "leben",
)  # fmt: skip
MANY = tuple(f"section {number}" for number in range(40))


def pipeline(category_map: Path | None = None) -> ContentPipeline:
    """A new one."""
    return ContentPipeline(load({}, category_map=category_map), HashedEncoder())


def in_category(offset: int, category: str, title: str = "") -> RawRecord:
    """An article of a section."""
    article_id = f"a{offset}"
    value = {"article_id": article_id, "title": title or f"xq{offset}", "published_at_ms": T0, "category": category}
    return RawRecord(offset, T0, article_id.encode(), msgspec.json.encode(value))


def slots(done: Analysed) -> dict[str, int]:
    """Slot by category, of the articles written."""
    articles = [msgspec.json.decode(record.value or b"", type=AnalysedArticle) for record in written(done)]
    return {article.category: article.category_slot for article in articles}


def stored(catalog: Sequence[CatalogRecord]) -> list[RawRecord]:
    """As `catalog` gives them back."""
    return [RawRecord(offset, T0, *record) for offset, record in enumerate(catalog)]


def test_each_section_has_a_slot_of_its_own_in_order_of_appearance() -> None:
    """Twenty German ones, whatever their case; a name that comes again has the slot it had."""
    done = pipeline().analyse([in_category(n, name.upper()) for n, name in enumerate([*GERMAN, *GERMAN])])
    assert slots(done) == {name: slot for slot, name in enumerate(GERMAN)}


def test_the_last_slot_is_shared(caplog: pytest.LogCaptureFixture) -> None:
    """By all that come when the others are taken, which is said once, and by articles without a category."""
    agent, names = pipeline(), ["", *MANY]
    done = agent.analyse([in_category(0, "")])
    assert not caplog.records
    done.catalog.extend(agent.analyse([in_category(n, name) for n, name in enumerate(names) if n]).catalog)
    expected = {name: min(n, SHARED_CATEGORY) for n, name in enumerate(MANY)}
    assert slots(done) == expected | {"": SHARED_CATEGORY}
    assert [record.message.count("STREAMREC_CATEGORY_MAP") for record in caplog.records] == [1]


def test_the_table_stands_before_the_first_article_that_uses_a_slot() -> None:
    """And tells partitions nothing: to them it is a watermark of the beginning of time."""
    catalog = (
        pipeline().analyse([in_category(n, name) for n, name in enumerate(["politik", "politik", "sport"])]).catalog
    )
    assert [record.key for record in catalog] == [SLOTS_KEY, b"a0", b"a1", SLOTS_KEY, b"a2"]
    tables = [table.names for record in stored(catalog) if (table := slots_in(record)) is not None]
    assert tables == [["politik"], ["politik", "sport"]]
    assert decode_catalog(stored(catalog), Origin("catalog", 0))[0] == Watermark(0, 0)


names = st.sampled_from([*GERMAN[:4], "", *MANY[:33]])


@given(st.lists(names, max_size=80), st.data())
def test_a_table_is_a_function_of_the_articles(drawn: list[str], data: st.DataObject) -> None:
    """Two pipelines that read the same articles in other batches, with restarts between, write the same bytes.

    Compaction has left the last record of each key, and retention has taken any of the articles, meanwhile.
    """
    records = [in_category(n, name) for n, name in enumerate(drawn)]
    one, other, at = pipeline(), pipeline(), 0
    expected, got = one.analyse(records).catalog, list[CatalogRecord]()
    while at < len(records):
        size = data.draw(st.integers(1, len(records) - at))
        got += other.analyse(records[at : at + size]).catalog
        at += size
        if data.draw(st.booleans()):
            other = pipeline()
            kept = {record.key: record for record in got if record.key == SLOTS_KEY or data.draw(st.booleans())}
            other.recall(stored([*kept.values()]))
    assert got == expected
    assert len(one.categories.slots) == len(set(drawn) - {""}) or len(one.categories.slots) == SHARED_CATEGORY
    assert set(slots(Analysed(got, [], [], [])).values()) <= set(range(SHARED_CATEGORY + 1))


@given(st.lists(names), st.lists(names))
def test_a_slot_never_changes(before: list[str], after: list[str]) -> None:
    """Whatever comes later."""
    table = CategorySlots(before)
    was = {name: table.slot_of(name) for name in table.names}
    assert sorted(was.values()) == list(range(len(table)))
    for name in after:
        table.hand_out(name)
    assert {name: table.slot_of(name) for name in was} == was
    assert table.begins_with(CategorySlots(before))
    assert SHARED_CATEGORY not in {table.slot_of(name) for name in table.names}


def test_a_record_that_is_set_aside_takes_no_slot() -> None:
    """A bad embargo is found before anything is remembered."""
    bad = in_category(0, "sport")
    bad = bad._replace(value=(bad.value or b"")[:-1] + b',"embargo_until_ms":1}')
    done = pipeline().analyse([bad, in_category(1, "politik")])
    assert len(done.dead_letters) == 1
    assert slots(done) == {"politik": 0}


def test_a_catalog_of_an_earlier_release_keeps_its_slots() -> None:
    """The profiles beside it know the well-known names by fixed ones; new names get those behind."""
    fields = msgspec.to_builtins(article("a1", category="sports"))
    del fields["category_slot"]
    old = CatalogRecord(b"a1", msgspec.json.encode(fields))
    after = pipeline()
    after.recall(stored([old]))
    done = after.analyse([in_category(2, "politik"), in_category(3, "sports"), in_category(4, "politics")])
    assert slots(done) == {"politik": len(CATEGORIES), "sports": CATEGORIES.index("sports"), "politics": 0}
    later = pipeline()
    later.recall(stored([old, *done.catalog]))
    assert later.categories.slots.names == [*CATEGORIES, "politik"]


def test_a_map_names_sections_and_guesses(tmp_path: Path) -> None:
    """A group is one category with one slot; what the pipeline guesses is a section of the newsroom as well."""
    path = tmp_path / "sections.toml"
    path.write_text('[aliases]\npolitics = "politik"\n[groups]\nkultur = ["feuilleton", "theater"]')
    guessed = in_category(3, "", "Parliament votes on government budget after election")
    records = [in_category(0, "Feuilleton"), in_category(1, "politik"), in_category(2, "theater"), guessed]
    assert slots(pipeline(path).analyse(records)) == {"kultur": 0, "politik": 1}
    assert pipeline().analyse([guessed]).catalog[1].value
    assert slots(pipeline().analyse([guessed])) == {"politics": 0}


def test_the_longest_table_fits_into_a_record() -> None:
    """Names of 64 characters that are longest as JSON."""
    table = CategorySlots(f"{number:02}" + "\x01" * 62 for number in range(40))
    (_, name), *_ = table.headers()[1:]
    assert len(table) == SHARED_CATEGORY
    assert len(name) < 16_000
    assert slots_in(RawRecord(0, T0 + DAY, SLOTS_KEY, b"", table.headers())).names == table.names  # type: ignore[union-attr]
