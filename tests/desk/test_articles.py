"""desk/articles.py and desk/figures.py against the plain reading of the same state."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from making import T0, Feed, article, click, partition

from streamrec.contracts.ids import key_of
from streamrec.desk.articles import PAGE, ArticleIndex
from streamrec.desk.figures import pushed_since, pushes_by_second, reach
from streamrec.engine.catalog import Catalog
from streamrec.engine.profiles.layout import PUSHED
from streamrec.engine.profiles.store import ProfileStore

WORDS = st.lists(st.sampled_from(["Quantum", "chip", "Élan", "STRASSE", "straße", "<b>", "a1"]), max_size=4).map(
    " ".join
)


@given(st.lists(st.tuples(WORDS, st.integers(0, 50)), max_size=120), WORDS, st.integers(0, 4))
def test_a_search_finds_what_a_plain_one_finds(written: list[tuple[str, int]], query: str, number: int) -> None:
    """Newest first, all words anywhere, in pages."""
    catalog = Catalog()
    for at, (title, minute) in enumerate(written):
        catalog.apply(article(f"n{at}", title=title or "x", published_at_ms=T0 + minute * 60_000), T0)
    page = ArticleIndex(catalog).page(query, number)
    words = query.casefold().split()
    texts = {
        a.article_id: f"{a.title} {a.article_id} {a.category} {a.source}".casefold() for a in catalog.articles if a
    }
    found = [a for a in catalog.articles if a and all(word in texts[a.article_id] for word in words)]
    assert page.found == len(found)
    newest = sorted(found, key=lambda a: -a.published_at_ms)
    start = (page.page - 1) * PAGE
    assert [a.published_at_ms for a in page.articles] == [a.published_at_ms for a in newest[start : start + PAGE]]


def test_a_slot_that_is_reused_is_searched_by_its_new_words() -> None:
    """An article that left must not be found under the words of the one that has its place."""
    catalog = Catalog(max_articles=100)
    index = ArticleIndex(catalog)
    for number in range(100):
        catalog.apply(article(f"n{number}", title=f"old {number}", published_at_ms=T0 + number), T0)
    assert index.page("old", 1).found == 100
    catalog.apply(article("m1", title="young", published_at_ms=T0 + 500), T0)
    assert (index.page("old", 1).found, index.page("young", 1).found) == (99, 1)


@given(st.lists(st.integers(0, 400), max_size=60), st.integers(1, 300))
def test_pushes_by_second_are_those_of_the_rows(ages_s: list[int], seconds: int) -> None:
    """Each push stands in the second it left, and none of before."""
    now_s = T0 // 1000
    store = ProfileStore()
    rows = store.rows_of([f"u{n}" for n in range(len(ages_s))], np.full(len(ages_s), now_s))
    store.columns["pushed_at_s"][rows, 3] = [now_s - age for age in ages_s]
    found = pushes_by_second(store, now_s, seconds)
    assert found.tolist() == [sum(age == seconds - 1 - at for age in ages_s) for at in range(seconds)]
    assert pushed_since(store, now_s - seconds) == int(found.sum())


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3)), max_size=80),
    st.lists(st.integers(1, 2**32 - 1), max_size=5),
)
def test_reach_is_that_of_the_rows(named: list[tuple[int, int]], keys: list[int]) -> None:
    """Also of articles whose keys agree in their low half."""
    store = ProfileStore()
    rows = store.rows_of([f"u{n}" for n in range(len(named))], np.full(len(named), 1))
    spread = [key * 65_536 + 7 for key in range(201)]
    store.columns["seen"][rows, 5] = [spread[key] for key, _ in named]
    store.columns["seen_acts"][rows, 5] = [acts for _, acts in named]
    asked = [*spread[1:50], *keys]
    expected = [sum(spread[k] == key and bool(acts & PUSHED) for k, acts in named) for key in asked]
    assert reach(store, asked).tolist() == expected


def test_reach_counts_pushes_of_a_partition() -> None:
    """Of a real one: whoever was pushed is counted, whoever only read is not."""
    feed = Feed(partition(min_affinity=0.0))
    feed.articles(article("a1", topic="x"))
    feed.events(click("u1", "a1"), click("u2", "a1"))
    feed.articles(article("a2", topic="x"))
    assert reach(feed.to.profiles, [key_of("a1"), key_of("a2")]).tolist() == [0, 2]
