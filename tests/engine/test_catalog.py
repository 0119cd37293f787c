"""The catalog against a plain one: which versions count, what leaves the window, what a look finds, and who read it."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, HOUR, T0, article

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.ids import key_of
from streamrec.engine.catalog import Catalog

KEEP_MS, MOST = 2 * DAY, 4
IDS = [f"a{number}" for number in range(7)]
hours = st.integers(-60, 60).map(lambda hour: hour * HOUR)


class Plain:
    """Articles by id in the order they came, and how often each was read."""

    def __init__(self) -> None:
        self.articles: dict[str, AnalysedArticle] = {}
        self.readers: Counter[str] = Counter()
        self.withdrawn: list[str] = []

    def apply(self, new: AnalysedArticle, now_ms: int) -> str:
        """The last one to arrive counts, unless it names a lower version."""
        known = self.articles.get(new.article_id)
        if known is None:
            self._make_room(now_ms)
        elif new.digest == known.digest:
            return "unchanged"
        elif new.version < known.version:
            return "stale"
        self.articles[new.article_id] = new
        if new.status == "withdrawn":
            self.withdrawn += [new.article_id] * (new.article_id not in self.withdrawn)
            return "withdrawn"
        self.withdrawn = [name for name in self.withdrawn if name != new.article_id]
        return "updated" if known else "new"

    def _make_room(self, now_ms: int) -> None:
        self.withdrawn = [name for name in self.withdrawn if name in self.articles]
        if len(self.articles) >= MOST and self.withdrawn:
            del self.articles[self.withdrawn.pop(0)]
        waiting = []
        for article_id, known in list(self.articles.items()):
            opens_ms = max(known.published_at_ms, known.embargo_until_ms)
            if opens_ms > now_ms:
                waiting.append(article_id)
            elif len(self.articles) >= MOST or max(opens_ms, known.known_at_ms // 1000 * 1000) < now_ms - KEEP_MS:
                del self.articles[article_id]
            else:
                break
        for article_id in waiting:
            self.articles[article_id] = self.articles.pop(article_id)
        while len(self.articles) >= MOST:
            del self.articles[next(iter(self.articles))]

    def fresh(self, now_ms: int) -> set[str]:
        """May be pushed."""
        return {
            one.article_id
            for one in self.articles.values()
            if one.status != "withdrawn"
            and max(one.published_at_ms, one.embargo_until_ms) <= now_ms < one.expires_at_ms
        }

    def opening(self, after_ms: int, until_ms: int) -> set[str]:
        """Began to be out in between."""
        return {
            one.article_id
            for one in self.articles.values()
            if one.status != "withdrawn" and after_ms < max(one.published_at_ms, one.embargo_until_ms) <= until_ms
        }


versions = st.builds(
    article,
    st.sampled_from(IDS),
    version=st.integers(0, 2),
    status=st.sampled_from(["published", "updated", "withdrawn"]),
    published_at_ms=hours.map(lambda ms: T0 + ms),
    expires_at_ms=hours.map(lambda ms: T0 + ms),
    embargo_until_ms=st.just(0) | hours.map(lambda ms: T0 + ms),
    category=st.sampled_from(["", "kultur", "politics"]),
    digest=st.integers(0, 2),
)
Step = tuple[AnalysedArticle | tuple[str, int], int]  # a version or reads, and when
reads = st.tuples(st.sampled_from(IDS), st.integers(1, 3))
moments = hours.map(lambda ms: T0 + ms)


@given(st.lists(st.tuples(versions | reads, moments), max_size=40), st.lists(moments, min_size=2, max_size=2))
def test_it_is_what_the_plain_one_is(steps: list[Step], look: list[int]) -> None:
    """After any versions and reads, at any times."""
    catalog, plain = Catalog(MOST, KEEP_MS), Plain()
    for step, now_ms in steps:
        if isinstance(step, AnalysedArticle):
            assert catalog.apply(step, now_ms) == plain.apply(step, now_ms)
        else:
            article_id, change = step
            plain.readers[article_id] += change
            catalog.after_reads(np.array([0, *[key_of(article_id)] * change], np.uint32), 1)
            catalog.after_reads(np.array([key_of(article_id)], np.uint32), -1)
            plain.readers[article_id] -= 1
        assert catalog.slots_of_ids(IDS).tolist() == [
            -1 if (slot := catalog.slot(name)) is None else slot for name in IDS
        ]
        assert {name for name in IDS if catalog.slot(name) is not None} == plain.articles.keys()
        _same(catalog, plain)
    after_ms, until_ms = sorted(look)
    assert _ids(catalog, catalog.fresh(until_ms)) == plain.fresh(until_ms)
    assert _ids(catalog, catalog.opening(after_ms, until_ms)) == plain.opening(after_ms, until_ms)


def _same(catalog: Catalog, plain: Plain) -> None:
    assert len(catalog) == len(plain.articles)
    keys = np.array([key_of(name) for name in IDS], np.uint32)
    for name, slot, of_key in zip(
        IDS, catalog.slots_of_ids(IDS).tolist(), catalog.slots_of(keys).tolist(), strict=True
    ):
        assert slot == of_key
        if slot >= 0:
            assert catalog.articles[slot] is plain.articles[name]
            assert catalog["readers"][slot] == plain.readers[name]
            assert catalog["category"][slot] == plain.articles[name].category_slot
            assert (catalog["category_key"][slot] == 0) == (not plain.articles[name].category)


def _ids(catalog: Catalog, slots: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> set[str]:
    articles = [catalog.articles[slot] for slot in slots.tolist()]
    assert None not in articles
    return {one.article_id for one in articles if one}


def test_an_update_without_a_version_counts() -> None:
    """The number is the same; the content is not."""
    catalog = Catalog()
    first, second = article("a", version=0, title="first"), article("a", version=0, title="second")
    assert [catalog.apply(one, T0) for one in (first, second, second, first)] == [
        "new",
        "updated",
        "unchanged",
        "updated",
    ]


def test_an_article_of_old_stays_as_long_as_a_new_one() -> None:
    """History brings it with its readers' events, which teach only while it is known."""
    catalog = Catalog(keep_ms=DAY)
    for number in range(3):
        catalog.apply(article(f"a{number}", published_at_ms=T0 - 30 * DAY + number), T0 + number)
    assert len(catalog) == 3
    catalog.apply(article("b", published_at_ms=T0 + DAY), T0 + DAY + 1)
    assert len(catalog) == 1


def test_an_article_that_waits_for_its_time_keeps_no_other_and_stays() -> None:
    """However far ahead its embargo or publication is; it ages from then on. Only where all wait does one leave."""
    catalog = Catalog(max_articles=100, keep_ms=DAY)
    catalog.apply(article("embargo", embargo_until_ms=T0 + 30 * DAY), T0)
    catalog.apply(article("future", published_at_ms=T0 + 30 * DAY), T0)
    for day in range(30):
        catalog.apply(article(f"a{day}", published_at_ms=T0 + day * DAY), T0 + day * DAY)
        assert len(catalog) <= 4
    assert set(catalog.opening(T0, T0 + 30 * DAY).tolist()) >= {catalog.slot("embargo"), catalog.slot("future")}
    catalog.apply(article("b", published_at_ms=T0 + 30 * DAY), T0 + 31 * DAY)
    catalog.apply(article("c", published_at_ms=T0 + 32 * DAY), T0 + 32 * DAY)
    assert sorted(one.article_id for one in catalog.articles if one) == ["c"]
    full = Catalog(max_articles=2)
    for number in range(3):
        full.apply(article(f"a{number}", embargo_until_ms=T0 + DAY), T0)
    assert full.slot("a0") is None


def test_withdrawals_push_out_nothing_that_may_be_pushed() -> None:
    """Of however many articles; one that is published again stays as any other."""
    catalog = Catalog(max_articles=5)
    for number in range(3):
        catalog.apply(article(f"a{number}"), T0)
    for number in range(50):
        catalog.apply(article(f"old{number}", status="withdrawn"), T0)
    catalog.apply(article("old48", version=2), T0)
    catalog.apply(article("b"), T0)
    catalog.apply(article("old50", status="withdrawn"), T0)
    assert {one.article_id for one in catalog.articles if one} == {"a1", "a2", "old48", "b", "old50"}


def test_an_article_nobody_read_leaves_nothing_behind() -> None:
    """What is remembered of articles that left are their readers, while there are any."""
    catalog = Catalog(max_articles=1)
    for name in ("a", "b", "c"):
        catalog.apply(article(name), T0)
        if name == "b":
            catalog.after_reads(np.array([key_of("b")], np.uint32), 1)
    assert catalog._unknown_readers == {key_of("b"): 1}
    catalog.after_reads(np.array([key_of("b")], np.uint32), -1)
    assert catalog._unknown_readers == {}
    assert len(catalog.articles) == 1


def test_what_left_is_neither_fresh_nor_opening() -> None:
    """Its slot is free, whatever still stands in the columns."""
    catalog = Catalog(keep_ms=DAY)
    for number in range(3):
        catalog.apply(article(f"a{number}", published_at_ms=T0 + number, expires_at_ms=T0 + 30 * DAY), T0)
    at_ms = T0 + 2 * DAY
    catalog.apply(article("b", published_at_ms=at_ms, expires_at_ms=at_ms + DAY), at_ms)
    assert len(catalog) == 1
    assert catalog.fresh(at_ms).tolist() == catalog.opening(T0, at_ms).tolist() == [catalog.slot("b")]


def test_articles_leave_by_age() -> None:
    """The oldest first, when a new one comes and their time is over; to the millisecond."""
    catalog = Catalog(keep_ms=DAY)
    for number in range(3):
        catalog.apply(article(f"a{number}", published_at_ms=T0 + number), T0)
    catalog.apply(article("b", published_at_ms=T0 + DAY), T0 + DAY + 1)
    assert [catalog.slot(f"a{number}") is None for number in range(3)] == [True, False, False]
    catalog.apply(article("c", published_at_ms=T0 + DAY), T0 + 2 * DAY)
    assert sorted(one.article_id for one in catalog.articles if one) == ["b", "c"]
