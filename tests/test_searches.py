"""A search teaches, for less than a read, and can be the reason of a push."""

import itertools
import logging
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from making import DAY, HOUR, T0, AffinityScores, Feed, article, click, columns, partition, policy, pushes

from streamrec.arrays import FloatArray
from streamrec.content.encoder import HashedEncoder, Text
from streamrec.content.query import Queries
from streamrec.contracts.event import KINDS, UserEvent
from streamrec.contracts.push import Push
from streamrec.partition.partition import Partition, PartitionContext

ENCODER = HashedEncoder()
QUERIES = Queries(ENCODER)
VOLCANO = "Iceland volcano erupts again"


def searching(**changed: Any) -> Feed:
    """A partition that understands searches."""
    context = PartitionContext(0, policy(**changed), AffinityScores(), understand=QUERIES.understand)
    return Feed(Partition(context))


def search(user_id: str = "ann", query: str = "volcano iceland", at_ms: int = T0) -> UserEvent:
    """A search."""
    return UserEvent(user_id, "search", at_ms, query=query)


def about(title: str, article_id: str = "a1", **changed: Any) -> Any:
    """An article whose vector is that of its title."""
    vector = ENCODER.encode([Text(title, "", "world")])[0].tobytes()
    return article(article_id, title=title, vector=vector, category="world", **changed)


def interest(feed: Feed, user_id: str = "ann") -> FloatArray:
    """What is known of a reader."""
    vector: FloatArray = feed.to.profiles["interest"][feed.to.profiles.row(user_id)].astype(np.float32)
    return vector


def got(changes: Any) -> list[Push]:
    """Pushes, and their reasons."""
    return pushes(changes)


def test_who_searched_gets_the_article_and_the_reason() -> None:
    """The words are the article's own; who did not search gets no such reason."""
    feed = searching(min_affinity=0.0, min_score=0.0)
    feed.events(search(), click("bob", "a0"))
    ann, bob = got(feed.articles(about(VOLCANO)))
    assert (ann.user_id, ann.reason.code) == ("ann", "searched")
    assert ann.reason.args == {"words": "Iceland volcano", "category": "world"}
    assert (bob.user_id, bob.reason.code) == ("bob", "similar_interest")


def test_a_search_for_the_words_of_a_headline_reaches_the_floor_by_itself() -> None:
    """With the shipped floor and the built-in encoder; a search about something else does not."""
    feed = searching(min_affinity=0.25, min_score=0.0)
    feed.events(search(), search("bob", "champions league"))
    assert [push.user_id for push in got(feed.articles(about(VOLCANO)))] == ["ann"]


def test_breaking_news_stays_breaking_and_a_search_goes_before_reads() -> None:
    """The first reason that is true is given."""
    feed = searching(min_affinity=0.0, min_score=0.0)
    feed.articles(about("Ceasefire holds", "a0"))
    feed.events(click("ann", "a0"), search())
    assert [push.reason.code for push in got(feed.articles(about(VOLCANO, "a1")))] == ["searched"]
    assert [push.reason.code for push in got(feed.articles(about(VOLCANO, "a2", breaking=1)))] == ["breaking"]


def test_a_search_is_no_reason_after_a_half_life() -> None:
    """It still counts a little."""
    feed, late = searching(min_affinity=0.0, min_score=0.0), T0 + 7 * DAY
    feed.events(search())
    for number, (now_ms, code) in enumerate([(late, "searched"), (late + 1000, "similar_interest")]):
        fresh = about(VOLCANO, f"a{number}", published_at_ms=now_ms, known_at_ms=now_ms, expires_at_ms=now_ms + DAY)
        assert [push.reason.code for push in got(feed.articles(fresh, now_ms=now_ms))] == [code]


def test_a_search_is_worth_less_than_a_read_and_is_none() -> None:
    """It grows no category and no source, and names no read."""
    feed = searching()
    feed.events(search())
    row = feed.to.profiles
    assert 0 < KINDS["search"].worth < KINDS["click"].worth
    assert np.linalg.norm(interest(feed)) == pytest.approx(KINDS["search"].worth, abs=1e-3)
    assert not row["category_affinity"].any()
    assert not row["source_affinity"].any()
    assert not row["n_reads"].any()
    assert not row["seen"].any()
    assert row["last_active_s"].tolist() == [T0 // 1000]


def test_a_late_search_is_worth_what_it_would_have_been_in_time() -> None:
    """As a late read is; in any order."""
    early, late = searching(), searching()
    first, second = search(query="volcano", at_ms=T0 - 6 * DAY), search(query="quantum chip")
    early.events(first, second)
    late.events(second, first)
    assert np.allclose(interest(early), interest(late), atol=1e-3)
    assert early.to.profiles["searched"].tolist() == late.to.profiles["searched"].tolist()
    assert late.to.profiles["searched_at_s"].tolist() == [T0 // 1000]


def test_the_same_event_twice_is_one_search() -> None:
    """Whether it is delivered twice or sent again within ten minutes."""
    once, twice = searching(), searching()
    once.events(search())
    twice.events(search(), search(query="Iceland  volcano"))
    twice.events(search(at_ms=T0 - 60_000))
    assert interest(once).tobytes() == interest(twice).tobytes()
    twice.events(search(at_ms=T0 + HOUR), now_ms=T0 + HOUR)
    assert np.linalg.norm(interest(twice)) > 1.4 * np.linalg.norm(interest(once))


@pytest.mark.parametrize("query", ["", "   ", "2026", "of the"])
def test_a_search_for_nothing_teaches_nothing(query: str) -> None:
    """It is an event like others, and no dead letter."""
    feed = searching()
    changes = feed.events(search(query=query))
    assert not changes.dead_letters
    assert not interest(feed).any()
    assert feed.to.profiles["searched_at_s"].tolist() == [0]


def test_without_searches_and_without_an_encoder_all_is_the_same() -> None:
    """Whoever never searches has the same row and the same pushes, to the bit."""
    feeds = searching(), Feed(partition())
    sent = []
    for feed in feeds:
        feed.articles(*(about(VOLCANO, f"a{number}") for number in range(4)))
        feed.events(*(click(user, f"a{number}") for user, number in itertools.product("xy", range(3))))
        sent.append([push.value for push in feed.articles(about(VOLCANO, "a9")).pushes])
    assert sent[0] == sent[1]
    assert columns(feeds[0].to) == columns(feeds[1].to)


def chunks(events: Sequence[UserEvent], sizes: Sequence[int]) -> list[Sequence[UserEvent]]:
    """Events in batches of these sizes, again and again."""
    rest, found = [*events], list[Sequence[UserEvent]]()
    for size in itertools.cycle(sizes):
        if not rest:
            return found
        found.append(rest[:size])
        rest = rest[size:]
    return found


@pytest.mark.parametrize("sizes", [[1], [2, 5], [3, 1, 4]])
def test_a_batch_is_its_events_one_by_one(sizes: list[int]) -> None:
    """Searches among reads, of several users: the same rows to the bit, however the batch is split."""
    said = ["volcano iceland", "quantum chip", "", "volcano iceland", "champions league"]
    events = [search(user, query, T0 + 1000 * at) for at, query in enumerate(said) for user in ("ann", "bob")]
    events += [click("ann", "a1", T0 + 2500), click("bob", "a1", T0 + 100)]
    events.sort(key=lambda event: event.at_ms)
    whole, split = searching(), searching()
    for feed in (whole, split):
        feed.articles(about(VOLCANO))
    whole.events(*events, now_ms=T0 + 9000)
    for some in chunks(events, sizes):
        split.events(*some, now_ms=T0 + 9000)
    assert columns(whole.to) == columns(split.to)


def test_a_row_holds_no_text_and_nothing_else_says_it(caplog: pytest.LogCaptureFixture) -> None:
    """Neither logs, nor dead letters, nor what a partition writes."""
    feed, secret = searching(min_affinity=0.0, min_score=0.0), "zyzzyva xylophone"
    with caplog.at_level(logging.DEBUG):
        changes = feed.events(search(query=secret), msgspec.json.encode({"action": "search", "query": secret}))
        changes.merge(feed.articles(about(VOLCANO)))
    assert len(changes.dead_letters) == 1
    said = [caplog.text, *(str(letter.headers()) for letter in changes.dead_letters), str(changes.notes)]
    said += [repr(record) for record in feed.to.encode(changes.unique_rows())]
    said += [push.value.decode() for push in changes.pushes]
    assert not [text for text in said if "zyzzyva" in text or "xylophone" in text]
