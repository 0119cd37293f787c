"""Who meets an article first: those who will most likely open it; everybody gets what they would get in row order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import T0, Feed, article, click, columns, policy, pushes

from streamrec.arrays import FloatArray
from streamrec.contracts.audience import Audience
from streamrec.contracts.event import UserEvent
from streamrec.contracts.push import ModelStamp
from streamrec.partition import best_first
from streamrec.partition.changes import Changes
from streamrec.partition.partition import Partition, PartitionContext

TOPICS = ("war", "tax", "cup", "law")


class SteepScores:
    """A scorer that tells readers apart whose affinities differ little."""

    stamp = ModelStamp("steep", "1", "fp32")

    def probability(self, x: FloatArray) -> FloatArray:
        """Ten times less for each tenth of affinity below 1.1."""
        return np.asarray(np.clip(10 ** (10 * (x[:, 64] - 1.1)), 0, 1), np.float32)


Reads = list[set[int]]  # of which topics each reader has read


def newsroom(reads: Reads, chunk: int, **changed: float) -> Partition:
    """Readers of old articles; the new one is yet to come."""
    rules = policy(**({"min_affinity": 0.05, "min_score": 0, "min_interval_s": 60} | changed))
    state = Partition(PartitionContext(0, rules, SteepScores(), chunk_users=chunk))
    state.at_once = False
    feed = Feed(state)
    feed.articles(*[article(f"old {topic}", topic=topic) for topic in TOPICS])
    while (meeting := state.article_meeting(T0)) is not None:
        state.meet(meeting)
    feed.events(*[click(f"u{n:04}", f"old {TOPICS[which]}", T0 - 9) for n, of in enumerate(reads) for which in of])
    return state


def steps_of(state: Partition, **changed: object) -> list[Changes]:
    """What each step of a new article about the first topic changes."""
    Feed(state).articles(article("new", topic=TOPICS[0], **changed))
    steps = []
    while (meeting := state.article_meeting(T0)) is not None:
        steps.append(state.meet(meeting))
    return steps


def random_reads(readers: int, seed: int = 1) -> Reads:
    """Half of the readers know the new article's topic, and have read of up to three others."""
    rng = np.random.default_rng(seed)
    return [{0, *rng.integers(1, 4, rng.integers(0, 4)).tolist()} for _ in range(readers)]


def gained(steps: list[Changes], pushed: float) -> float:
    """Share of all expected opens that the first pushes, this share of them, bring."""
    scores = [push.relevance for step in steps for push in pushes(step)]
    return sum(scores[: int(pushed * len(scores))]) / sum(scores)


def test_the_likeliest_readers_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a quarter of the pushes more opens are to be expected than in row order, and the end is the same."""
    reads = random_reads(800)
    best = steps_of(newsroom(reads, 40))
    monkeypatch.setattr(best_first, "CHUNKS", 800)
    rows = steps_of(newsroom(reads, 40))
    assert sorted(told(best)) == sorted(told(rows))
    assert gained(rows, 0.25) == pytest.approx(0.25, abs=0.03)
    assert gained(best, 0.25) > 0.4


def told(steps: list[Changes]) -> list[str]:
    """Who was pushed to, in order."""
    return [push.user_id for step in steps for push in pushes(step)]


def test_levels_go_down() -> None:
    """Who is put off in the first pass has the push after all of higher levels, within one in the order of rows."""
    state = newsroom(random_reads(600), 30)
    Feed(state).articles(article("new", topic=TOPICS[0]))
    order, expected, found = state.queue.order, list[str](), list[str]()
    while (meeting := state.article_meeting(T0)) is not None:
        changes = state.meet(meeting)
        if meeting.again:
            found += told([changes])
        elif order.start == 600:
            levels = [np.concatenate(order._later[level]) for level in sorted(order._later)]
            expected = [state.profiles.users[row] for rows in levels for row in rows.tolist()]
    assert (len(levels), len(expected)) == (3, len(found))
    assert found == expected


def test_few_pushes_go_in_row_order() -> None:
    """Where one reader in ten gets the article nobody is put off: each chunk is met once."""
    reads: Reads = [{0} if n % 10 == 0 else {1} for n in range(400)]
    steps = steps_of(newsroom(reads, 20, min_affinity=0.5))
    assert (len(steps), told(steps)) == (20, [f"u{n:04}" for n in range(0, 400, 10)])


def test_a_first_chunk_without_pushes_decides_nothing() -> None:
    """Levels are those of the first chunk with some."""
    reads: Reads = [{1}] * 40 + random_reads(760)
    best = steps_of(newsroom(reads, 40, min_affinity=0.5))
    assert not best[0].pushes
    assert gained(best, 0.25) > 0.4


def test_the_audience_is_counted_once() -> None:
    """Readers who are put off are not counted again when their turn has come."""
    state = newsroom(random_reads(300), 20)
    steps = steps_of(state, audience=Audience(everybody=True))
    whole = Changes()
    for step in steps:
        whole.merge(step)
    assert (len(steps) > 300 // 20, whole.audience, len(whole.pushes)) == (True, {"inside": 300, "outside": 0}, 300)
    assert [step.all_met for step in steps] == [False] * (len(steps) - 1) + [True]


def test_what_is_under_way_does_not_count_who_is_put_off() -> None:
    """After the first pass some have met it, at its end all."""
    state = newsroom(random_reads(300), 20)
    Feed(state).articles(article("new", topic=TOPICS[0], audience=Audience(everybody=True)))
    seen = []
    while (meeting := state.article_meeting(T0)) is not None:
        state.meet(meeting)
        seen += [met for _, met, _ in state.audiences_under_way()]
    assert seen == sorted(seen)
    assert seen[14] < 100


@given(
    st.lists(st.sets(st.integers(0, 3), min_size=1), min_size=1, max_size=60),
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 59)), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_order_is_all_that_changes(reads: Reads, chunk: int, opt_outs: list[tuple[int, int]]) -> None:
    """Each reader who would get the article gets it once; who opts out meanwhile gets none after that."""
    state, whole = newsroom(reads, chunk), newsroom(reads, 4096)
    feed = Feed(state)
    feed.articles(article("new", topic=TOPICS[0]))
    found, silent = list[str](), set[str]()
    for step in range(10_000):
        for reader in [f"u{n:04}" for at, n in opt_outs if at == step and n < len(reads)]:
            feed.events(UserEvent(user_id=reader, action="unsubscribe", at_ms=T0))
            silent.add(reader)
        if (meeting := state.article_meeting(T0)) is None:
            break
        now = told([state.meet(meeting)])
        assert not silent & {*now}
        found += now
    assert len(found) == len({*found})
    expected = {*told(steps_of(whole))}
    assert {*found} | (silent & expected) == expected
    if not silent:
        assert columns(state) == columns(whole)
