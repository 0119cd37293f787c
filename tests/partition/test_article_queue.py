"""The queue of articles that have yet to meet everybody, and the marks that say where a restart finds them again."""

import msgspec
import numpy as np
from making import HOUR, T0, AffinityScores, Feed, article, click, partition, pushes

from streamrec.contracts.decode import Origin, decode_catalog
from streamrec.contracts.records import RawRecord
from streamrec.models.serving import Lineup
from streamrec.partition.article_queue import ArticleQueue
from streamrec.partition.changelog_meta import rows_and_meta
from streamrec.partition.partition import Partition


def marks(queue: ArticleQueue) -> tuple[int, int]:
    """In `catalog` and in policy time, where all before offset 9 is applied and all before T0 looked at."""
    return queue.met_until(9), queue.opened_until(T0)


def begun(queue: ArticleQueue) -> tuple[int, bool]:
    """How many users the head has met, and whether its models are settled."""
    return queue.start, queue.lineup is not None


def test_marks_lie_before_whatever_waits() -> None:
    """Each mark is that of the first article that waits for its kind of reason; one that waits for both holds both."""
    queue = ArticleQueue()
    assert not queue
    assert marks(queue) == (9, T0)
    queue.published("a", 5)
    queue.opened("b", T0 - 2000)
    assert marks(queue) == (5, T0 - 2000)
    queue.published("b", 7)
    queue.opened("a", T0 - 1000)
    assert marks(queue) == (5, T0 - 2000)
    assert queue.head() == "a"
    queue.head_is_done()
    assert marks(queue) == (7, T0 - 2000)
    queue.head_is_done()
    assert marks(queue) == (9, T0)
    assert queue.head() is None


def test_a_newer_version_begins_anew() -> None:
    """It meets those who have met the older one, by the models of now; one behind in the queue disturbs nobody."""
    queue, lineup = ArticleQueue(), Lineup(AffinityScores())
    queue.published("a", 5)
    queue.published("b", 6)
    queue.start, queue.lineup = 3, lineup
    queue.published("b", 7)
    assert begun(queue) == (3, True)
    queue.published("a", 8)
    assert begun(queue) == (0, False)
    queue.start, queue.lineup = 3, lineup
    queue.head_is_done()
    assert queue.head() == "b"
    assert begun(queue) == (0, False)


def test_an_article_whose_time_came_meets_everybody_though_its_owner_dies() -> None:
    """Its embargo ended, two of six have met it, users who were due were looked at since: the next owner goes on."""
    readers = [f"u{number}" for number in range(6)]
    state = partition(chunk_users=2, min_affinity=0, min_score=0, min_interval_s=600)
    feed, later = Feed(state), article("later", embargo_until_ms=T0 + HOUR)
    feed.events(*(click(reader, "read") for reader in readers))
    feed.articles(later)
    assert not pushes(state.look(T0 + 1000))
    state.open(T0 + HOUR)
    meeting = state.article_meeting(T0 + HOUR)
    assert meeting is not None
    told = pushes(state.meet(meeting))
    assert list(state.due(T0 + HOUR)) == []
    rows, meta = rows_and_meta(state.encode(np.arange(len(readers))), partitions=24)
    assert meta.looked_ms == T0 + HOUR
    successor = Partition(state.context)
    record = RawRecord(0, T0, None, msgspec.json.encode(later))
    successor.restore(rows.items(), meta, decode_catalog([record], Origin("catalog", 0)))
    assert not successor.queue  # no version of it is behind the mark in `catalog`: it is its time that waits
    told += pushes(successor.look(T0 + HOUR + 1000))
    assert sorted(push.user_id for push in told) == readers
